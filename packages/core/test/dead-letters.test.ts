import { describe, expect, it, vi } from 'vitest'
import type { Intent } from '../src/intent.js'
import { type LocalGate, localGate } from '../src/local-gate.js'
import type { Notifier, NotifierEvent } from '../src/notifier.js'
import { type TestGate, testGate } from '../src/testing/test-gate.js'

describe('dead letters', () => {
  it('are shown, and delivered under the ids that they had when they are asked for again', async () => {
    const channel = aChannel('chat')
    await using test = await testGate()
    await using gate = gateWith(test, channel.notifier)
    channel.broken = true
    const intent = await declareOn(gate, test)
    await giveUp(test, gate)
    const [letter] = await gate.deadLetters.list()
    expect(letter).toMatchObject({
      channel: 'chat',
      attempts: 2,
      event: { intentId: intent.id, event: 'intent.created' },
    })

    channel.broken = false
    expect(await gate.deadLetters.redrive('user:usr_operator', 'chat')).toBe(1)
    await vi.waitFor(() =>
      expect(channel.heard.map(({ id, attempt }) => [id, attempt])).toEqual([[letter?.event.id, 1]]),
    )
    await vi.waitFor(async () => expect(await gate.deadLetters.counts()).toEqual([]))
  })

  it('are asked for again by somebody whom the log names, once', async () => {
    const channel = aChannel('chat')
    await using test = await testGate()
    await using gate = gateWith(test, channel.notifier)
    channel.broken = true
    await declareOn(gate, test)
    await giveUp(test, gate)
    await gate.deadLetters.redrive('user:usr_operator', 'chat')
    await gate.deadLetters.redrive('user:usr_operator', 'chat')
    const leaves = await test.store.leaves({ projectId: test.project.id, from: 0, limit: 100 })
    const written = leaves.map(({ body }) => JSON.parse(body)).filter(({ actor }) => actor === 'user:usr_operator')
    expect(written.map(({ events }) => events)).toMatchObject([
      [{ type: 'outbox.redriven', data: { channel: 'chat', deliveries: 1 } }],
    ])
  })

  it.each([
    ['another channel', 'mail'],
    ['no channel that ever was', ''],
  ])('stay where they are when %s is asked for', async (_, name) => {
    const channel = aChannel('chat')
    await using test = await testGate()
    await using gate = gateWith(test, channel.notifier)
    channel.broken = true
    await declareOn(gate, test)
    await giveUp(test, gate)
    expect(await gate.deadLetters.redrive('user:usr_operator', name)).toBe(0)
    expect(await gate.deadLetters.list({ channel: 'chat' })).toHaveLength(1)
    expect(await gate.deadLetters.list({ channel: name })).toEqual([])
  })
})

function aChannel(name: string) {
  const channel = {
    broken: false,
    heard: [] as NotifierEvent[],
    notifier: {
      name,
      async notify(event) {
        if (channel.broken) throw new Error('down')
        channel.heard.push(event)
      },
    } satisfies Notifier,
  }
  return channel
}

function gateWith(test: TestGate, notifier: Notifier): LocalGate {
  return localGate({
    store: test.store,
    signer: test.signer,
    projectId: test.project.id,
    issuer: 'urn:silentauth:test',
    publicUrl: 'http://127.0.0.1:4747',
    sweepMs: 0,
    pollMs: 0,
    now: test.clock.now,
    notifiers: [notifier],
  })
}

async function declareOn(gate: LocalGate, test: TestGate): Promise<Intent> {
  const key = { type: 'key', id: test.key.id, projectId: test.project.id } as const
  return (await gate.declare(key, { action: 'issue_refund', params: {} })).intent
}

/** As if this had been the last attempt. */
async function giveUp(test: TestGate, gate: LocalGate): Promise<void> {
  await vi.waitFor(async () => expect(await gate.deadLetters.counts()).toMatchObject([{ waiting: 1, dead: 0 }]))
  test.clock.advance(86_400_000)
  await test.store.transaction(async (tx) => {
    const now = await tx.now()
    const [delivery] = await tx.claimDeliveries({
      projectId: test.project.id,
      channel: 'chat',
      now,
      leaseMs: 1000,
      limit: 1,
    })
    if (!delivery) throw new TypeError('nothing was due')
    await tx.endDelivery(delivery, { type: 'dead' })
  })
}
