import { describe, expect, it } from 'vitest'
import { data, INTENT_ID, refusal, type Step, scriptedServer } from './scripted-server.js'

const attempt = { executionId: 'call-1', attemptId: 'attempt-1' }
const received = data({ execution: {} })

describe('a report', () => {
  it('says who reports what', async () => {
    await using server = await scriptedServer([received])
    await server.client().report(INTENT_ID, attempt, { status: 'succeeded', result: { refunded: 250 } })
    expect(server.seen).toMatchObject([
      {
        line: 'POST /api/intents/int_7/report',
        body: {
          execution_id: 'call-1',
          attempt_id: 'attempt-1',
          status: 'succeeded',
          result: { refunded: 250 },
        },
      },
    ])
  })

  it('is sent again until the gate has it', async () => {
    await using server = await scriptedServer(['lost', refusal(500, 'DB_ERROR'), { status: 502, text: '' }, received])
    await expect(server.client().report(INTENT_ID, attempt, { status: 'failed' })).resolves.toBeUndefined()
    expect(new Set(server.seen.map(({ headers }) => headers['idempotency-key']))).toHaveProperty('size', 1)
  })

  it.each<[string, Step, string]>([
    ['is refused', refusal(403, 'FORBIDDEN'), 'FORBIDDEN'],
    ['contradicts an earlier one', refusal(409, 'ALREADY_RESOLVED'), 'ALREADY_RESOLVED'],
  ])('is not sent again when it %s', async (_, step, code) => {
    await using server = await scriptedServer([step])
    await expect(server.client().report(INTENT_ID, attempt, { status: 'failed' })).rejects.toMatchObject({ code })
    expect(server.seen).toHaveLength(1)
  })

  it('keeps nobody waiting, and arrives all the same', async () => {
    let away = true
    await using server = await scriptedServer(() => (away ? 'lost' : received))
    const client = server.client({ retryForMs: 30 })
    await expect(client.report(INTENT_ID, attempt, { status: 'failed' })).rejects.toMatchObject({
      code: 'GATE_UNAVAILABLE',
      intentId: INTENT_ID,
    })
    away = false
    const sent = server.seen.length
    await server.received(sent + 1)
    await client[Symbol.asyncDispose]()
    expect(server.seen).toHaveLength(sent + 1)
  })

  it('arrives also when its caller has gone', async () => {
    let away = true
    await using server = await scriptedServer(() => (away ? 'lost' : received))
    const caller = new AbortController()
    const client = server.client()
    const reported = client.report(INTENT_ID, attempt, { status: 'failed' }, { signal: caller.signal })
    await server.received(1)
    caller.abort('enough')
    await expect(reported).rejects.toBe('enough')
    away = false
    await server.received(server.seen.length + 1)
  })
})

describe('a client that is disposed', () => {
  it('sends what is still in the queue, without its usual patience', async () => {
    let away = true
    await using server = await scriptedServer(() => (away ? 'lost' : received))
    const client = server.client({ backOff: { baseMs: 600_000, maxMs: 600_000 } })
    const reported = client.report(INTENT_ID, attempt, { status: 'failed' })
    await server.received(1)
    away = false
    await client[Symbol.asyncDispose]()
    await expect(reported).resolves.toBeUndefined()
    expect(server.seen).toHaveLength(2)
  })

  it('does not wait for ever', { timeout: 15_000 }, async () => {
    await using server = await scriptedServer(['silent'])
    const client = server.client({ requestTimeoutMs: 600_000 })
    const reported = expect(client.report(INTENT_ID, attempt, { status: 'failed' })).rejects.toMatchObject({
      code: 'GATE_UNAVAILABLE',
    })
    await server.received(1)
    await client[Symbol.asyncDispose]()
    await reported
  })
})
