/**
 * Who decides, on what, and how: attacks on the deciding side, over HTTP, against a gate on which an agent waits with a refund
 * of 250 that it is not to get.
 */
import type { ErrorCode, JsonObject } from '@silentauth/core'
import { gateTool } from '@silentauth/langchain'
import { SilentAuth } from '@silentauth/sdk'
import { tool } from 'langchain'
import { expect, it, vi } from 'vitest'
import { z } from 'zod'
import { describeFailure } from './failures.ts'
import { aField, answerOf, type Field, REFUND, told } from './field.ts'

/** A refund that waits, and what becomes of it. */
async function aWaitingRefund(field: Field, gate: SilentAuth = field.gate) {
  const pay = vi.fn(() => 'paid')
  const schema = z.object({ customer_id: z.string(), amount: z.number() })
  const refund = gateTool(tool(pay, { name: 'issue_refund', description: 'pays back', schema }), { gate })
  const call = { type: 'tool_call' as const, id: 'call_1', name: 'issue_refund', args: REFUND.params }
  const ended = refund.invoke(call).then(({ content }: { content: unknown }) => String(content))
  const id = await field.waiting()
  return {
    pay,
    id,
    /** Nothing that was tried has counted. */
    async isStillWaiting() {
      const { data } = await field.owner.ask('GET', `/api/inbox/${id}`)
      expect([data.status, data.votes, pay.mock.calls]).toEqual(['pending', [], []])
    },
    async end() {
      await field.deny(id)
      expect(await ended).toContain(told('INTENT_DENIED', 'issue_refund'))
      expect([pay.mock.calls, await field.intents()]).toEqual([[], ['issue_refund 250 denied none']])
    },
  }
}

describeFailure('F3: an outcome that is no denial runs the tool', () => {
  /** What a gate of another kind, or a newer one, or somebody in between, might answer in place of this one. */
  const answering = (field: Field, route: RegExp, change: (data: JsonObject) => JsonObject) =>
    new SilentAuth({
      projectId: field.server.projectId,
      secretKey: field.server.secretKey,
      baseUrl: field.server.url,
      issuer: field.server.issuer,
      keys: field.keys,
      retryForMs: 0,
      async fetch(url, init) {
        const answer = await fetch(url, init)
        if (!route.test(new URL(String(url)).pathname)) return answer
        const { data } = (await answer.json()) as { data: JsonObject }
        return Response.json({ data: change(data), error: null }, { status: answer.status })
      },
    })
  const INTENT = /^\/api\/intents(\/int_[a-z0-9]+)?$/
  const CLAIM = /\/claim$/
  /** As genuine as can be without the key of the gate. */
  const madeUp = (permit: string) => `${permit.slice(0, permit.lastIndexOf('.'))}.${'A'.repeat(342)}`

  it.each<[string, RegExp, (data: JsonObject) => JsonObject]>([
    ['a decision that it does not know', INTENT, (data) => ({ ...data, status: 'require_approval' })],
    ['a status that says allowed', INTENT, (data) => ({ ...data, status: 'allow' })],
    ['no status at all', INTENT, ({ status: _, ...data }) => data],
    ['nothing', INTENT, () => ({})],
  ])('is refused: the gate answers %s', async (_, route, change) => {
    await using field = await aField([{ decision: 'auto_approve', match: { action_pattern: '*' }, any_params: true }])
    await using gate = answering(field, route, change)
    const pay = vi.fn(() => 'paid')
    const schema = z.object({ customer_id: z.string(), amount: z.number() })
    const refund = gateTool(tool(pay, { name: 'issue_refund', description: 'pays back', schema }), {
      gate,
      timeoutMs: 2000,
    })
    const { content } = await refund.invoke({
      type: 'tool_call',
      id: 'call_1',
      name: 'issue_refund',
      args: REFUND.params,
    })
    expect([String(content), pay.mock.calls]).toEqual([expect.stringContaining(told('GATE_UNAVAILABLE')), []])
  })

  it.each<[string, (data: JsonObject) => JsonObject, ErrorCode]>([
    ['a claim of a type that it does not know', (data) => ({ ...data, type: 'allowed' }), 'GATE_UNAVAILABLE'],
    ['a grant without a permit', () => ({ type: 'granted', parameters: REFUND.params }), 'GATE_UNAVAILABLE'],
    [
      'a grant with a permit that it made up',
      (data) => ({ ...data, permit_token: madeUp(String(data.permit_token)) }),
      'PERMIT_SIGNATURE',
    ],
  ])('is refused: the gate answers with %s', async (_, change, code) => {
    await using field = await aField([{ decision: 'auto_approve', match: { action_pattern: '*' }, any_params: true }])
    await using gate = answering(field, CLAIM, change)
    const pay = vi.fn(() => 'paid')
    const schema = z.object({ customer_id: z.string(), amount: z.number() })
    const refund = gateTool(tool(pay, { name: 'issue_refund', description: 'pays back', schema }), { gate })
    const { content } = await refund.invoke({
      type: 'tool_call',
      id: 'call_1',
      name: 'issue_refund',
      args: REFUND.params,
    })
    expect([String(content), pay.mock.calls]).toEqual([expect.stringContaining(told(code, 'issue_refund')), []])
  })
})

describeFailure('F4: the agent approves with its own credential', () => {
  it('is refused on every route that decides', async () => {
    await using field = await aField()
    const waiting = await aWaitingRefund(field)
    const hash = await field.owner.shown(waiting.id)
    const bodies = [{ intent_hash: hash }, { intent_hash: hash, approved: true, approver_id: field.server.owner.id }]
    for (const route of ['approve', 'deny', 'request-changes', 'withdraw', 'reconcile', 'lift-denial', 'reveal']) {
      for (const prefix of ['/api/inbox', '/api/intents']) {
        for (const body of bodies) {
          const answer = await fetch(new URL(`${prefix}/${waiting.id}/${route}`, field.server.url), {
            method: 'POST',
            headers: { 'content-type': 'application/json', authorization: `Bearer ${field.server.secretKey}` },
            body: JSON.stringify(body),
          }).then(answerOf)
          const served = prefix === '/api/inbox' || ['approve', 'deny', 'request-changes'].includes(route)
          expect([route, answer.code]).toEqual([route, served ? 'FORBIDDEN' : 'NOT_FOUND'])
        }
      }
    }
    await waiting.isStillWaiting()
    await waiting.end()
  })

  it('is refused in the name of whoever made the key', async () => {
    await using field = await aField()
    const { gate } = await field.anotherAgent()
    const waiting = await aWaitingRefund(field, gate)
    const body = { intent_hash: await field.owner.shown(waiting.id) }
    expect(await field.owner.ask('POST', `/api/inbox/${waiting.id}/approve`, body)).toMatchObject({
      code: 'SELF_APPROVAL',
    })
    await waiting.isStillWaiting()
    await waiting.end()
  })
})

describeFailure('F5: a link that decides when it is opened', () => {
  it.each([
    ['signed in', true],
    ['not signed in', false],
  ])('changes nothing, however often it is followed: %s', async (_, signedIn) => {
    await using field = await aField()
    const waiting = await aWaitingRefund(field)
    const approver = await field.signIn('scanned@example.com')
    const link = new URL((await field.gate.read(waiting.id)).approvalUrl).pathname
    const routes = ['approve', 'deny', 'request-changes', 'withdraw'].flatMap((verb) => [
      `/api/inbox/${waiting.id}/${verb}`,
      `/api/intents/${waiting.id}/${verb}`,
    ])
    for (const route of [link, `${link}?decision=approve&confirm=true`, ...routes]) {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'GET']) {
        if (signedIn) await approver.ask(method, route)
        else await fetch(new URL(route, field.server.url), { method }).then(answerOf)
      }
    }
    await waiting.isStillWaiting()
    await waiting.end()
  })
})

describeFailure('F6: an approval that does not say of what', () => {
  it.each<[string, (field: Field) => Promise<JsonObject>, string]>([
    ['nothing', async () => ({}), 'MISSING_FIELDS'],
    ['that somebody was there', async () => ({ evidence: { challenge: crypto.randomUUID() } }), 'MISSING_FIELDS'],
    ['something else', async (field) => ({ intent_hash: await otherHash(field) }), 'STALE_VIEW'],
  ])('is refused: it says %s', async (_, body, code) => {
    await using field = await aField()
    const waiting = await aWaitingRefund(field)
    const approver = await field.signIn('somebody@example.com')
    const answer = await approver.ask('POST', `/api/inbox/${waiting.id}/approve`, await body(field))
    expect(answer).toMatchObject({ code })
    const { data } = await field.owner.ask('GET', `/api/inbox/${waiting.id}`)
    expect([data.status, data.votes, waiting.pay.mock.calls]).toEqual(['pending', [], []])
    await field.deny(waiting.id)
  })

  it('is refused: a policy cannot ask for passkeys that nobody checks', async () => {
    const policy = { decision: 'require_approval', match: { action_pattern: '*' }, approval: { assurance: 'passkey' } }
    await expect(aField([policy])).rejects.toMatchObject({ code: 'INVALID_FIELD' })
  })

  /** Of a view that the approver was shown for another request. */
  async function otherHash(field: Field): Promise<string> {
    const { id } = await field.gate.createIntent({ ...REFUND, params: { ...REFUND.params, amount: 1 } })
    return field.owner.shown(id as `int_${string}`)
  }
})

describeFailure('F7: a quorum of names in a body', () => {
  const TWO = { decision: 'require_approval', match: { action_pattern: '*' }, approval: { approvers_required: 2 } }

  it('is refused: one person is one vote', async () => {
    await using field = await aField([TWO])
    const waiting = await aWaitingRefund(field)
    const [one, other] = [await field.signIn('one@example.com'), await field.signIn('other@example.com')]
    const body = { intent_hash: await one.shown(waiting.id) }
    const vote = (more: JsonObject = {}) => one.ask('POST', `/api/inbox/${waiting.id}/approve`, { ...body, ...more })
    for (const name of ['approver', 'approver_id', 'responderId', 'responder_id', 'by', 'user_id', 'on_behalf_of']) {
      expect(await vote({ [name]: 'other@example.com' })).toMatchObject({ code: 'INVALID_FIELD' })
    }
    await waiting.isStillWaiting()

    expect(await vote()).toMatchObject({ status: 200 })
    expect(await vote()).toMatchObject({ code: 'ALREADY_VOTED' })
    const { data } = await field.owner.ask('GET', `/api/inbox/${waiting.id}`)
    expect([data.status, data.votes, waiting.pay.mock.calls]).toEqual(['pending', [expect.anything()], []])

    // The control: a second person is the quorum.
    await other.ask('POST', `/api/inbox/${waiting.id}/approve`, body)
    await expect.poll(() => waiting.pay.mock.calls.length).toBe(1)
  })
})
