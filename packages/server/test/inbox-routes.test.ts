import { afterEach, describe, expect, it } from 'vitest'
import { ORIGIN, type TestApp, testApp } from './test-app.js'

let test: TestApp
afterEach(() => test[Symbol.asyncDispose]())

describe('GET /api/inbox', () => {
  it('lists what waits, and says whether this person may vote', async () => {
    test = await testApp()
    const { id } = await test.declare()
    const { headers } = await test.signIn()
    const { json } = await test.ask('GET', '/api/inbox', { headers })
    expect(json).toMatchObject({ data: [{ id, status: 'pending', can_vote: { ok: true } }], next_cursor: null })
  })

  it.each([
    ['', 1],
    ['?status=pending_approval', 1],
    ['?status=denied', 1],
    ['?status=approved', 0],
    ['?action=other', 0],
  ])('finds with %j', async (query, count) => {
    test = await testApp()
    const { headers } = await test.signIn()
    const denied = await test.declare()
    await test.ask('POST', `/api/inbox/${denied.id}/deny`, { headers, body: { intent_hash: denied.intent_hash } })
    await test.declare({ parameters: { order_id: 'another' } })
    const { json } = await test.ask('GET', `/api/inbox${query}`, { headers })
    expect(json.data).toHaveLength(count)
  })
})

describe('GET /api/inbox/{id}', () => {
  it('shows the view whose hash a vote must carry', async () => {
    test = await testApp()
    const { id, intent_hash } = await test.declare({ context: { reasoning: 'duplicate charge' } })
    const { headers } = await test.signIn()
    expect(await test.review(id, headers)).toMatchObject({
      intent_hash,
      view: {
        intent_id: id,
        params: { customer_id: 'cust_4821', amount: 250 },
        context: { reasoning: 'duplicate charge' },
      },
      can_vote: { ok: true, code: null, reason: null, on_behalf_of: null },
    })
  })
})

describe.each(['/api/inbox', '/api/intents'])('votes under %s', (prefix) => {
  it.each([
    ['approve', 'approved'],
    ['deny', 'denied'],
    ['request-changes', 'changes_requested'],
  ])('%s', async (verb, status) => {
    test = await testApp()
    const { id, intent_hash } = await test.declare()
    const { person, headers } = await test.signIn()
    const body = { intent_hash, comment: 'checked with billing' }
    const { json } = await test.ask('POST', `${prefix}/${id}/${verb}`, { headers, body })
    expect(json.data).toMatchObject({
      status,
      votes: [{ by: person.email, comment: 'checked with billing', via: 'session' }],
    })
  })

  it('are refused for a view that is not the one that the gate holds', async () => {
    test = await testApp()
    const { id } = await test.declare()
    const { headers } = await test.signIn()
    const { intent_hash } = await test.declare({ parameters: { amount: 1 } })
    const answer = await test.ask('POST', `${prefix}/${id}/approve`, { headers, body: { intent_hash } })
    expect([answer.status, answer.code]).toEqual([409, 'STALE_VIEW'])
  })

  it.each(['by', 'approver', 'user_id', 'via', 'principal', 'verdict', 'roles'])(
    'never take who votes, or how, from the body: %s',
    async (member) => {
      test = await testApp()
      const { id, intent_hash } = await test.declare()
      const { headers } = await test.signIn()
      const body = { intent_hash, [member]: 'usr_somebody' }
      const answer = await test.ask('POST', `${prefix}/${id}/approve`, { headers, body })
      expect([answer.code, (await test.review(id, headers)).votes]).toEqual(['INVALID_FIELD', []])
    },
  )

  it('refuse evidence, which this build would not check', async () => {
    test = await testApp()
    const { id, intent_hash } = await test.declare()
    const { headers } = await test.signIn()
    const answer = await test.ask('POST', `${prefix}/${id}/approve`, {
      headers,
      body: { intent_hash, evidence: { type: 'webauthn' } },
    })
    expect(answer.code).toBe('INVALID_FIELD')
  })
})

describe('a vote', () => {
  it('counts once when a person clicks twice at once', async () => {
    test = await testApp()
    const { id, intent_hash } = await test.declare()
    const { headers } = await test.signIn()
    const click = () => test.ask('POST', `/api/inbox/${id}/approve`, { headers, body: { intent_hash } })
    const answers = await Promise.all([click(), click()])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
    expect((await test.review(id, headers)).votes).toHaveLength(1)
  })

  it('decides once when two people decide differently at once', async () => {
    test = await testApp()
    const { id, intent_hash } = await test.declare()
    const [one, other] = [await test.signIn(), await test.signIn()]
    const answers = await Promise.all([
      test.ask('POST', `/api/inbox/${id}/approve`, { headers: one.headers, body: { intent_hash } }),
      test.ask('POST', `/api/inbox/${id}/deny`, { headers: other.headers, body: { intent_hash } }),
    ])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
    expect((await test.review(id, one.headers)).votes).toHaveLength(1)
  })

  it('through the terminal does not count for what is high', async () => {
    test = await testApp()
    const { id, intent_hash } = await test.declare({ risk_tier: 'high' })
    const { headers } = await test.signIn({}, 'cli')
    const answer = await test.ask('POST', `/api/inbox/${id}/approve`, { headers, body: { intent_hash } })
    expect([answer.status, answer.code]).toEqual([403, 'ASSURANCE_REQUIRED'])
  })

  it('is refused to the owner of the agent', async () => {
    test = await testApp()
    const { person, headers } = await test.signIn()
    await test.addAgent({ fingerprint: 'refund-agent-v1', owner: person.id })
    const { id, intent_hash } = await test.declare()
    const answer = await test.ask('POST', `/api/inbox/${id}/approve`, { headers, body: { intent_hash } })
    expect([answer.status, answer.code]).toEqual([403, 'SELF_APPROVAL'])
  })

  it('is refused from another site, and changes nothing', async () => {
    test = await testApp()
    const { id, intent_hash } = await test.declare()
    const { headers } = await test.signIn()
    const answer = await test.ask('POST', `/api/inbox/${id}/approve`, {
      headers: { ...headers, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      body: { intent_hash },
    })
    expect([answer.status, answer.code, (await test.review(id, headers)).status]).toEqual([403, 'FORBIDDEN', 'pending'])
  })

  it('for something critical wants the typed confirmation', async () => {
    test = await testApp()
    const { id, intent_hash } = await test.declare({ risk_tier: 'critical' })
    const { headers } = await test.signIn()
    const vote = (confirm?: string) =>
      test.ask('POST', `/api/inbox/${id}/approve`, { headers, body: { intent_hash, ...(confirm && { confirm }) } })
    const { confirmation } = await test.review(id, headers)
    expect([(await vote()).code, (await vote('yes')).code, (await vote(confirmation ?? '')).json.data.status]).toEqual([
      'CONFIRMATION_REQUIRED',
      'CONFIRMATION_REQUIRED',
      'approved',
    ])
  })

  it('with other parameters declares a successor, where the agent takes edits', async () => {
    test = await testApp()
    const { id, intent_hash } = await test.declare({
      edits: { schema: { type: 'object', properties: { amount: { type: 'number' } } } },
    })
    const { headers } = await test.signIn()
    const body = { intent_hash, parameters: { customer_id: 'cust_4821', amount: 200 } }
    const { json } = await test.ask('POST', `/api/inbox/${id}/approve`, { headers, body })
    expect(json.data).toMatchObject({ status: 'superseded', superseded_by: expect.stringMatching(/^int_/) })
  })

  it('with other parameters is refused where it does not', async () => {
    test = await testApp()
    const { id, intent_hash } = await test.declare()
    const { headers } = await test.signIn()
    const body = { intent_hash, parameters: { amount: 200 } }
    expect((await test.ask('POST', `/api/inbox/${id}/approve`, { headers, body })).code).toBe('EDITS_NOT_ACCEPTED')
  })
})

describe('withdraw, reconcile, reveal', () => {
  it('takes back an approval that was not begun', async () => {
    test = await testApp()
    const { id } = await test.declare()
    await test.approve(id)
    const { headers } = await test.signIn()
    const { json } = await test.ask('POST', `/api/inbox/${id}/withdraw`, { headers, body: { reason: 'not today' } })
    expect(json.data.execution.state).toBe('abandoned')
  })

  it('says what happened to an execution that never reported', async () => {
    test = await testApp()
    const { id } = await test.declare()
    await test.approve(id)
    const body = { execution_id: 'call-1', attempt_id: 'attempt-1' }
    await test.ask('POST', `/api/intents/${id}/claim`, { headers: test.agent, body })
    test.gate.clock.advance(3_600_000)
    const { headers } = await test.signIn()
    const { json } = await test.ask('POST', `/api/inbox/${id}/reconcile`, {
      headers,
      body: { finding: 'happened', comment: 'seen at the bank' },
    })
    expect(json.data.execution).toMatchObject({ state: 'succeeded', reported_by: 'person' })
  })

  it('shows one hidden value to the person who asked, by an audited POST', async () => {
    test = await testApp()
    const { id } = await test.declare({ parameters: { password: 'correct horse battery staple' } })
    const { headers } = await test.signIn()
    const { text } = await test.ask('GET', `/api/inbox/${id}`, { headers })
    const { json } = await test.ask('POST', `/api/inbox/${id}/reveal`, { headers, body: { pointer: '/password' } })
    expect([text.includes('horse'), json.data]).toEqual([
      false,
      { pointer: '/password', value: 'correct horse battery staple' },
    ])
    const leaves = await test.gate.store.leaves({ projectId: test.gate.project.id, from: 0, limit: 100 })
    expect(leaves.at(-1)?.body).toContain('value.revealed')
  })
})

describe('GET', () => {
  it('changes nothing, and neither do HEAD and OPTIONS, on any route', async () => {
    test = await testApp()
    const { id } = await test.declare()
    const { headers } = await test.signIn({ roles: ['owner'] })
    const state = async (): Promise<string> => {
      const { store, project } = test.gate
      const [intent, leaves] = [
        await store.intent(id as `int_${string}`),
        await store.leaves({ projectId: project.id, from: 0, limit: 1000 }),
      ]
      return JSON.stringify([intent, leaves.length, await store.directory(project.id)])
    }
    const before = await state()
    for (const route of test.app.table) {
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        for (const credential of [test.agent, headers]) {
          const response = await test.app.request(`${ORIGIN}${route.path.replace('{id}', id)}`, {
            method,
            headers: { ...credential },
          })
          await response.body?.cancel()
        }
      }
    }
    expect(await state()).toBe(before)
  })
})

describe('POST /api/inbox/{id}/lift-denial', () => {
  const denied = async () => {
    const { id, intent_hash } = await test.declare()
    const { headers } = await test.signIn()
    await test.ask('POST', `/api/inbox/${id}/deny`, { headers, body: { intent_hash } })
    return { id, headers }
  }

  it('lets the agent ask again, and people decide anew', async () => {
    test = await testApp()
    const { id, headers } = await denied()
    const again = await test.declare()
    expect(again).toMatchObject({ status: 'denied', resolution: { by: 'person', earlier_intent: id } })
    expect((await test.review(id, headers)).denial).toMatchObject({ intent_id: id, can_lift: { ok: true } })
    const { json } = await test.ask('POST', `/api/inbox/${id}/lift-denial`, { headers, body: {} })
    expect(json.data).toMatchObject({ status: 'denied', denial: null })
    expect((await test.declare()).status).toBe('pending')
  })

  it('is refused to whom the policy does not name, and lifts nothing then', async () => {
    test = await testApp()
    const { id } = await denied()
    const { headers } = await test.signIn({ roles: ['developer'] })
    const { status, code } = await test.ask('POST', `/api/inbox/${id}/lift-denial`, { headers, body: {} })
    expect([status, code, (await test.declare()).status]).toEqual([403, 'NOT_AN_APPROVER', 'denied'])
  })

  it('takes no word of who lifts it, or of how long it is remembered', async () => {
    test = await testApp()
    const { id, headers } = await denied()
    for (const body of [{ by: 'usr_1' }, { seconds: 0 }]) {
      const { code } = await test.ask('POST', `/api/inbox/${id}/lift-denial`, { headers, body })
      expect(code).toBe('INVALID_FIELD')
    }
    expect((await test.declare()).status).toBe('denied')
  })
})
