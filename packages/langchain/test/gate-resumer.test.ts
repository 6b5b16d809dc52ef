import { createHmac, randomUUID } from 'node:crypto'
import { MemorySaver } from '@langchain/langgraph'
import { scriptedGate } from '@silentauth/core/testing'
import { gateTool } from '@silentauth/langchain'
import { createGateResumer, type GateResumerOptions } from '@silentauth/langchain/langgraph'
import { describe, expect, it, vi } from 'vitest'
import { refundTool } from './refund-tool.ts'
import { suspendedAgent } from './suspended-agent.ts'

async function suspended(options: Partial<GateResumerOptions> = {}, thread = 't') {
  const gate = scriptedGate(['wait'])
  const { refund, execute } = refundTool()
  const agent = suspendedAgent([{ name: 'refund', args: { amount: 5 }, id: 'c1' }], {
    gate,
    tools: [gateTool(refund, { gate, wait: 'suspend' })],
    saver: new MemorySaver(),
    thread,
  })
  await agent.start()
  const resolve = vi.fn(() => ({ graph: agent.agent() as never, config: agent.config }))
  const onError = vi.fn()
  const resumer = createGateResumer({ gate, resolve, onError, ...options })
  return { gate, execute, resolve, onError, resumer, agent, id: gate.intents[0]?.id ?? '' }
}

function webhook(body: object | string, headers: Record<string, string> = {}): Request {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return new Request('http://127.0.0.1/hook', { method: 'POST', body: text, headers })
}

describe('a webhook', () => {
  it('goes on with the thread that waits, once, however often it comes', async () => {
    const { gate, execute, resumer, agent, id, resolve } = await suspended()
    await gate.decide('approve')
    const told = () => resumer.handleWebhook(webhook({ event: 'intent.approved', intent_id: id }))
    const answers = await Promise.all([told(), told(), told()])
    expect(answers.map(({ status }) => status)).toContain(202)
    await resumer[Symbol.asyncDispose]()
    expect([await agent.toolTexts(), execute.mock.calls.length]).toEqual([['refunded 5'], 1])
    expect(resolve).toHaveBeenCalledWith(expect.objectContaining({ context: expect.objectContaining({ thread: 't' }) }))
  })

  it('is a hint: what it says of the decision is not believed', async () => {
    const { execute, resumer, agent, id } = await suspended()
    const forged = webhook({ event: 'intent.approved', intent_id: id, status: 'approved', permit_token: 'eyJ.e30.' })
    expect((await resumer.handleWebhook(forged)).status).toBe(204)
    await resumer[Symbol.asyncDispose]()
    expect([await agent.pending(), execute.mock.calls]).toEqual([[expect.objectContaining({ intentId: id })], []])
  })

  it.each<[number, string, Request]>([
    [405, 'no POST', new Request('http://127.0.0.1/hook')],
    [400, 'no JSON', webhook('{')],
    [400, 'no intent', webhook({ event: 'agent.status_changed' })],
    [400, 'an id that is none', webhook({ intent_id: '../../secrets' })],
    [204, 'an intent of somebody else', webhook({ intent_id: 'int_00000000000000000000' })],
    [413, 'too much', webhook(`"${'x'.repeat(600_000)}"`)],
  ])('is answered with %d: %s', async (status, _, request) => {
    const { resumer } = await suspended()
    expect((await resumer.handleWebhook(request)).status).toBe(status)
  })

  it('is not read to its end when it is too much', async () => {
    const { resumer } = await suspended()
    let pulled = 0
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        // An end all the same, so that a reader without a limit fails here instead of hanging.
        if (++pulled > 64) controller.close()
        else controller.enqueue(new Uint8Array(64 * 1024))
      },
    })
    const sent: RequestInit & { duplex: 'half' } = { method: 'POST', body: endless, duplex: 'half' }
    const request = new Request('http://127.0.0.1/hook', sent)
    expect((await resumer.handleWebhook(request)).status).toBe(413)
    expect(pulled).toBeLessThan(16)
  })

  it('comes again when the thread is not suspended yet', async () => {
    const { gate, resumer, id } = await suspended({
      resolve: () => ({ graph: { getState: async () => ({ tasks: [], config: {} }), invoke: vi.fn() }, config: {} }),
    })
    await gate.decide('approve')
    const answer = await resumer.handleWebhook(webhook({ intent_id: id }))
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5'])
  })

  it('comes again when the gate is away', async () => {
    const { gate, id, onError } = await suspended()
    const away = Object.create(gate, { read: { value: () => Promise.reject(new TypeError('fetch failed')) } })
    const resumer = createGateResumer({ gate: away, resolve: () => undefined, onError })
    expect((await resumer.handleWebhook(webhook({ intent_id: id }))).status).toBe(503)
    expect(onError).toHaveBeenCalledOnce()
  })

  it('needs its signature where there is a secret', async () => {
    const webhookSecret = `whsec_${randomUUID()}`
    const { gate, resumer, agent, id } = await suspended({ webhookSecret })
    await gate.decide('approve')
    const body = JSON.stringify({ intent_id: id })
    const signed = (secret: string, over = body) => `sha256=${createHmac('sha256', secret).update(over).digest('hex')}`
    const statuses = []
    for (const header of ['', signed('another'), signed(webhookSecret, `${body} `), signed(webhookSecret)]) {
      statuses.push((await resumer.handleWebhook(webhook(body, { 'x-silentauth-signature': header }))).status)
    }
    expect(statuses).toEqual([401, 401, 401, 202])
    await resumer[Symbol.asyncDispose]()
    expect(await agent.toolTexts()).toEqual(['refunded 5'])
  })
})

describe('polling', () => {
  it('goes on with threads once they are decided, and ends when it is disposed', async () => {
    const { gate, resumer, agent, execute } = await suspended()
    const threads = vi.fn(() => [{ graph: agent.agent() as never, config: agent.config }])
    const polling = resumer.poll({ threads, everyMs: 1 })
    await vi.waitFor(() => expect(threads.mock.calls.length).toBeGreaterThan(2))
    expect(execute).not.toHaveBeenCalled()
    await gate.decide('approve')
    await vi.waitFor(async () => expect(await agent.toolTexts()).toEqual(['refunded 5']))
    await polling[Symbol.asyncDispose]()
    const { length } = threads.mock.calls
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect([threads.mock.calls.length, execute.mock.calls.length]).toEqual([length, 1])
  })

  it('is not held up by a thread that fails', async () => {
    const { gate, resumer, agent, onError } = await suspended()
    await gate.decide('approve')
    const broken = {
      graph: { getState: () => Promise.reject(new Error('no such thread')), invoke: vi.fn() },
      config: {},
    }
    await using _ = resumer.poll({
      threads: async () => [broken, { graph: agent.agent() as never, config: agent.config }],
      everyMs: 1,
    })
    await vi.waitFor(async () => expect(await agent.toolTexts()).toEqual(['refunded 5']))
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ message: 'no such thread' }), broken)
  })
})
