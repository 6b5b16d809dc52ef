import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { data, INTENT_ID, refusal, type Step, scriptedServer, wireIntent } from './scripted-server.js'

const pending = data(wireIntent())
const approved = data(wireIntent({ status: 'approved' }))

describe('a wait', () => {
  it('asks the gate to hold the answer for 25 seconds', async () => {
    await using server = await scriptedServer([approved])
    await server.client().wait(INTENT_ID)
    expect(server.seen.map(({ line }) => line)).toEqual(['GET /api/intents/int_7?wait=25'])
  })

  it.each(['approved', 'denied', 'expired', 'cancelled', 'changes_requested', 'superseded'] as const)(
    'ends when the intent is %s',
    async (status) => {
      await using server = await scriptedServer([pending, data(wireIntent({ status }))])
      await expect(server.client().wait(INTENT_ID)).resolves.toMatchObject({ id: INTENT_ID, status })
    },
  )

  it.each<[string, Step]>([
    ['a lost connection', 'lost'],
    ['a proxy without a gate', { status: 502, text: '<html>' }],
    ['nonsense', { text: 'hello' }],
    ['a full gate', refusal(503, 'TOO_MANY_WAITERS', { 'retry-after': '0' })],
    ['a failing database', refusal(500, 'DB_ERROR')],
    ['a code of a newer gate in trouble', refusal(503, 'WARMING_UP')],
  ])('survives %s', async (_, step) => {
    await using server = await scriptedServer([pending, step, step, pending, step, approved])
    await expect(server.client({ retryForMs: 0 }).wait(INTENT_ID)).resolves.toMatchObject({ status: 'approved' })
  })

  it('survives a restart of the gate, with the decision made meanwhile', async () => {
    await using server = await scriptedServer((_, index) => (index === 0 ? 'silent' : approved))
    const waiting = server.client().wait(INTENT_ID)
    await server.received(1)
    await server.stop()
    await server.restart()
    await expect(waiting).resolves.toMatchObject({ status: 'approved' })
  })

  it('begins while the gate is away', async () => {
    await using server = await scriptedServer([approved])
    await server.stop()
    const waiting = server.client().wait(INTENT_ID)
    await server.restart()
    await expect(waiting).resolves.toMatchObject({ status: 'approved' })
  })

  it('does not hammer a gate that answers at once', async () => {
    await using server = await scriptedServer([pending])
    const client = server.client({ backOff: { baseMs: 40, maxMs: 40 } })
    await expect(client.wait(INTENT_ID, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' })
    expect(server.seen.length).toBeLessThan(8)
  })

  it('goes on as long as the gate says that it is pending, whatever the clock of this machine says', async () => {
    const old = data(wireIntent({ expires_at: '2020-01-01T00:00:00.000Z' }))
    await using server = await scriptedServer([old, old, old, approved])
    await expect(server.client().wait(INTENT_ID)).resolves.toMatchObject({ status: 'approved' })
  })

  it('ends when the gate stays away beyond the expiry', async () => {
    const old = data(wireIntent({ expires_at: '2020-01-01T00:00:00.000Z' }))
    await using server = await scriptedServer([old, 'lost'])
    await expect(server.client().wait(INTENT_ID)).rejects.toMatchObject({
      code: 'GATE_UNAVAILABLE',
      intentId: INTENT_ID,
    })
  })

  it.each<[string, Step, string]>([
    ['does not know it', refusal(404, 'NOT_FOUND'), 'NOT_FOUND'],
    ['does not know us any more', refusal(401, 'UNAUTHORIZED'), 'UNAUTHORIZED'],
    ['redirects', { status: 302, headers: { location: '/' }, text: '' }, 'GATE_UNAVAILABLE'],
    ['answers with another intent', data(wireIntent({ id: 'int_8', status: 'approved' })), 'GATE_UNAVAILABLE'],
    ['answers with a status of the future', data(wireIntent({ status: 'blessed' as never })), 'GATE_UNAVAILABLE'],
  ])('ends when the gate %s', async (_, step, code) => {
    await using server = await scriptedServer([step])
    await expect(server.client().wait(INTENT_ID)).rejects.toMatchObject({ code })
    expect(server.seen).toHaveLength(1)
  })
})

describe('a wait with a timeout', () => {
  it.each<[string, Step]>([
    ['the gate holds the answer', 'silent'],
    ['the gate answers that nobody decided', pending],
    ['the gate is away', 'lost'],
  ])('ends with WAIT_TIMEOUT when %s', { timeout: 10_000 }, async (_, step) => {
    await using server = await scriptedServer([step])
    await expect(server.client({ requestTimeoutMs: 600_000 }).wait(INTENT_ID, { timeoutMs: 60 })).rejects.toMatchObject(
      {
        code: 'WAIT_TIMEOUT',
        intentId: INTENT_ID,
      },
    )
  })

  it('of 0 looks once', async () => {
    await using server = await scriptedServer([approved])
    await expect(server.client().wait(INTENT_ID, { timeoutMs: 0 })).resolves.toMatchObject({ status: 'approved' })
    expect(server.seen.map(({ line }) => line)).toEqual(['GET /api/intents/int_7?wait=0'])
  })

  it('of 0 ends after that look', async () => {
    await using server = await scriptedServer([pending])
    await expect(server.client().wait(INTENT_ID, { timeoutMs: 0 })).rejects.toMatchObject({ code: 'WAIT_TIMEOUT' })
    expect(server.seen).toHaveLength(1)
  })

  it.each([
    [900, 1],
    [2_500, 2],
    [15_000, 15],
    [60_000, 25],
  ])('of %i ms asks the gate to hold the answer for %i s', async (timeoutMs, seconds) => {
    await using server = await scriptedServer([approved])
    await server.client().wait(INTENT_ID, { timeoutMs })
    expect(server.seen[0]?.line).toBe(`GET /api/intents/int_7?wait=${seconds}`)
  })
})

describe('a wait that is left', () => {
  it.each<[string, Step]>([
    ['while the gate holds the answer', 'silent'],
    ['while it backs off', refusal(503, 'TOO_MANY_WAITERS', { 'retry-after': '5' })],
  ])('ends for the reason of its signal %s', async (_, step) => {
    await using server = await scriptedServer([step])
    const caller = new AbortController()
    const waiting = server.client().wait(INTENT_ID, { signal: caller.signal })
    await server.received(1)
    caller.abort('enough')
    await expect(waiting).rejects.toBe('enough')
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0)
  })

  it('ends when its client is disposed', async () => {
    await using server = await scriptedServer(['silent'])
    const client = server.client()
    const waiting = expect(client.wait(INTENT_ID)).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
    await server.received(1)
    await client[Symbol.asyncDispose]()
    await waiting
  })

  it.each<[string, Step[]]>([
    ['settled', [pending, approved]],
    ['refused', [refusal(404, 'NOT_FOUND')]],
  ])('leaves no listener when the intent was %s', async (_, script) => {
    await using server = await scriptedServer(script)
    const { signal } = new AbortController()
    await server
      .client()
      .wait(INTENT_ID, { signal })
      .catch(() => undefined)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
})
