import { describe, expect, it, vi } from 'vitest'
import { SilentAuthError } from '../src/errors.js'
import { localGate } from '../src/local-gate.js'
import { memoryStore } from '../src/memory-store.js'
import type { Notifier, NotifierEvent } from '../src/notifier.js'
import {
  type DeliveryFailure,
  MAX_ATTEMPTS,
  type OutboxDeliveryOptions,
  outboxDelivery,
} from '../src/outbox-delivery.js'
import type { Store } from '../src/store.js'
import { fakeClock } from '../src/testing/fake-clock.js'
import { testGate } from '../src/testing/test-gate.js'

const PAUSES = [5, 60, 300, 1800, 7200, 21_600, 43_200, 86_400].map((seconds) => seconds * 1000)
const DAY = 86_400_000

describe('outboxDelivery', () => {
  it('tells every notifier of each event of an intent, by ids and without params', async () => {
    await using scene = await aScene({ notifiers: ['chat', 'mail'] })
    const intent = await scene.declare({ customer_id: 'cust_4821' })
    await scene.delivery.deliverDue()
    expect(scene.heard('chat')).toEqual([
      {
        id: expect.stringMatching(/^out_/),
        event: 'intent.created',
        projectId: scene.test.project.id,
        intentId: intent.id,
        sequence: 1,
        createdAt: intent.createdAt,
        attempt: 1,
        action: 'issue_refund',
        source: undefined,
        sourceType: 'ai_agent',
        riskTier: 'medium',
        status: 'pending',
      },
    ])
    expect(scene.heard('mail')).toEqual(scene.heard('chat'))
  })

  it('says what the intent is by now, and numbers its events in their order', async () => {
    await using scene = await aScene({ notifiers: ['chat'] })
    const intent = await scene.declare()
    await scene.test.gate.cancel(intent.id, 'not needed')
    await scene.delivery.deliverDue()
    expect(scene.heard('chat').map(({ event, sequence, status }) => [event, sequence, status])).toEqual([
      ['intent.created', 1, 'cancelled'],
      ['intent.cancelled', 2, 'cancelled'],
    ])
  })

  it('does not repeat what was delivered', async () => {
    await using scene = await aScene({ notifiers: ['chat'] })
    await scene.declare()
    await scene.delivery.deliverDue()
    scene.clock.advance(DAY)
    await scene.delivery.deliverDue()
    expect(scene.heard('chat')).toHaveLength(1)
  })

  it('tries again at growing distances with the same id, and gives up after the last: a dead letter', async () => {
    await using scene = await aScene({ notifiers: ['chat'], fail: { chat: () => new Error('down') }, random: 0.5 })
    await scene.declare()
    const retries: (number | undefined)[] = []
    for (let attempt = 1; attempt <= MAX_ATTEMPTS + 3; attempt++) {
      await scene.delivery.deliverDue()
      const failure = scene.failures[attempt - 1]
      if (failure) retries.push(failure.retryAt && failure.retryAt - scene.clock.now())
      scene.clock.advance(failure?.retryAt ? failure.retryAt - scene.clock.now() : DAY)
    }
    expect(retries).toEqual([...PAUSES, undefined])
    expect(new Set(scene.heard('chat').map(({ id }) => id)).size).toBe(1)
    expect(scene.heard('chat').map(({ attempt }) => attempt)).toEqual(PAUSES.concat(0).map((_, index) => index + 1))
    expect(await scene.counts()).toEqual([{ channel: 'chat', waiting: 0, dead: 1 }])
  })

  it.each([
    ['earliest', 0, 0.8],
    ['latest', 0.999_999, 1.2],
  ])('spreads its attempts: the %s', async (_, random, factor) => {
    await using scene = await aScene({ notifiers: ['chat'], fail: { chat: () => new Error('down') }, random })
    await scene.declare()
    await scene.delivery.deliverDue()
    expect((scene.failures[0]?.retryAt ?? 0) - scene.clock.now()).toBeCloseTo(5000 * factor, -1)
  })

  it.each([
    ['waits as long as the receiver asks', 600, 600_000],
    ['waits no shorter than it would anyway', 1, 5000],
    ['waits at most a day', 9_999_999, DAY],
    ['does not take a negative time', -5, 5000],
  ])('%s', async (_, retryAfterSeconds, expected) => {
    const fail = { chat: () => new SilentAuthError('RATE_LIMITED', 'too many', { retryAfterSeconds }) }
    await using scene = await aScene({ notifiers: ['chat'], fail, random: 0.5 })
    await scene.declare()
    await scene.delivery.deliverDue()
    expect((scene.failures[0]?.retryAt ?? 0) - scene.clock.now()).toBe(expected)
  })

  it.each([
    ['hangs', () => new Promise<never>(() => undefined)],
    ['rejects', () => Promise.reject(new Error('down'))],
    [
      'throws',
      () => {
        throw new Error('down')
      },
    ],
  ])('is not kept from one channel by another that %s', async (_, notify) => {
    await using scene = await aScene({ notifiers: ['chat'], more: [{ name: 'broken', notify }], timeoutMs: 20 })
    for (let count = 0; count < 30; count++) await scene.declare({ count })
    const delivered = scene.delivery.deliverDue()
    await vi.waitFor(() => expect(scene.heard('chat')).toHaveLength(30))
    await delivered
    expect(await scene.counts()).toEqual([{ channel: 'broken', waiting: 30, dead: 0 }])
  })

  it('aborts a call whose time is up', async () => {
    const aborted = Promise.withResolvers<unknown>()
    const more: Notifier = {
      name: 'slow',
      notify: (_, { signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted.resolve(signal.reason)
            reject(signal.reason)
          })
        }),
    }
    await using scene = await aScene({ more: [more], timeoutMs: 20 })
    await scene.declare()
    await scene.delivery.deliverDue()
    expect(await aborted.promise).toMatchObject({ message: 'no answer within 20 ms' })
    expect(scene.failures).toMatchObject([{ notifier: 'slow', attempt: 1 }])
  })

  it('is not kept from anything by an observer of failures that throws', async () => {
    const fail = { chat: () => new Error('down') }
    const onFailure = () => {
      throw new Error('observer')
    }
    await using scene = await aScene({ notifiers: ['chat'], fail, onFailure })
    await scene.declare()
    await scene.delivery.deliverDue()
    expect(await scene.counts()).toEqual([{ channel: 'chat', waiting: 1, dead: 0 }])
  })

  it('delivers later what it could not write down: at least once', async () => {
    await using scene = await aScene({ notifiers: ['chat'] })
    await scene.declare()
    const { transaction } = scene.test.store
    let broken = false
    const store: Store = {
      ...scene.test.store,
      transaction: (work) =>
        transaction((tx) =>
          work({
            ...tx,
            endDelivery: async (...args) => {
              if (broken) throw new SilentAuthError('DB_ERROR', 'gone')
              return tx.endDelivery(...args)
            },
          }),
        ),
    }
    broken = true
    await using delivery = outboxDelivery({ ...scene.options, store })
    await delivery.deliverDue()
    broken = false
    await delivery.deliverDue()
    expect(scene.heard('chat')).toHaveLength(1)
    scene.clock.advance(60_000)
    await delivery.deliverDue()
    expect(scene.heard('chat').map(({ attempt }) => attempt)).toEqual([1, 2])
    expect(await scene.counts()).toEqual([])
  })

  it('gives up what killed its worker every time, without calling the notifier again', async () => {
    await using scene = await aScene({ notifiers: ['chat'] })
    await scene.declare()
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      await scene.claimAndDie()
      scene.clock.advance(60_000)
    }
    await scene.delivery.deliverDue()
    expect(scene.heard('chat')).toEqual([])
    expect(await scene.counts()).toEqual([{ channel: 'chat', waiting: 0, dead: 1 }])
  })

  it('delivers what another worker claimed once its lease has ended', async () => {
    await using scene = await aScene({ notifiers: ['chat'] })
    await scene.declare()
    await scene.claimAndDie()
    await scene.delivery.deliverDue()
    expect(scene.heard('chat')).toEqual([])
    scene.clock.advance(30_000)
    await scene.delivery.deliverDue()
    expect(scene.heard('chat')).toMatchObject([{ attempt: 2 }])
  })

  it('delivers what was written while no process ran', async () => {
    await using scene = await aScene({ notifiers: ['chat'] })
    await scene.declare()
    await scene.delivery[Symbol.asyncDispose]()
    await using later = outboxDelivery({ ...scene.options, pollMs: 60_000 })
    await vi.waitFor(() => expect(scene.heard('chat')).toHaveLength(1))
    expect(later).toBeDefined()
  })

  it('looks again when a commit wakes it, and by itself when nobody does', async () => {
    await using scene = await aScene({ notifiers: ['chat'] })
    await scene.declare()
    scene.delivery.wake()
    await vi.waitFor(() => expect(scene.heard('chat')).toHaveLength(1))
    await using polling = outboxDelivery({ ...scene.options, pollMs: 5 })
    await scene.declare()
    await vi.waitFor(() => expect(scene.heard('chat')).toHaveLength(2))
    expect(polling).toBeDefined()
  })

  it('looks again after the store was away', async () => {
    await using scene = await aScene({ notifiers: ['chat'] })
    await scene.declare()
    const away = vi.fn().mockRejectedValueOnce(new SilentAuthError('DB_ERROR', 'away'))
    const store: Store = { ...scene.test.store, nextDelivery: away.mockImplementation(scene.test.store.nextDelivery) }
    await using polling = outboxDelivery({ ...scene.options, store, pollMs: 5 })
    await vi.waitFor(() => expect(scene.heard('chat')).toHaveLength(1))
    expect(polling).toBeDefined()
  })

  it('forgets what is older than every window', async () => {
    await using scene = await aScene({ notifiers: ['chat'] })
    await scene.declare()
    scene.clock.advance(30 * DAY)
    await scene.delivery.prune()
    expect(await scene.counts()).toEqual([{ channel: 'chat', waiting: 1, dead: 0 }])
    scene.clock.advance(1)
    await scene.delivery.prune()
    expect(await scene.counts()).toEqual([])
  })

  it('refuses two notifiers of one name', () => {
    const store = memoryStore()
    const notifiers = ['chat', 'chat'].map((name) => ({ name, notify: async () => undefined }))
    expect(() => outboxDelivery({ store, projectId: 'prj_a', notifiers })).toThrow(TypeError)
  })

  it('calls nobody once it is closed', async () => {
    await using scene = await aScene({ notifiers: ['chat'] })
    await scene.declare()
    await scene.delivery[Symbol.asyncDispose]()
    scene.delivery.wake()
    await scene.delivery.deliverDue()
    expect(scene.heard('chat')).toEqual([])
  })
})

describe('localGate with notifiers', () => {
  it('tells them by itself after each commit, and nothing of what was not committed', async () => {
    const told: string[] = []
    await using test = await testGate()
    await using gate = localGate({
      store: test.store,
      signer: test.signer,
      projectId: test.project.id,
      issuer: 'urn:silentauth:test',
      publicUrl: 'http://127.0.0.1:4747',
      sweepMs: 0,
      pollMs: 0,
      now: test.clock.now,
      notifiers: [{ name: 'chat', notify: async ({ event }) => void told.push(event) }],
    })
    const own = gate.gateFor({ type: 'key', id: test.key.id, projectId: test.project.id })
    const intent = await own.declare({ action: 'issue_refund', params: {} })
    await own.cancel(intent.id, 'not needed')
    await expect(own.cancel(intent.id, 'again')).rejects.toMatchObject({ code: 'ALREADY_RESOLVED' })
    await vi.waitFor(() => expect(told.toSorted()).toEqual(['intent.cancelled', 'intent.created']))
  })

  it('decides as ever while a notifier hangs', async () => {
    const hanging = Promise.withResolvers<void>()
    await using test = await testGate()
    await using gate = localGate({
      store: test.store,
      signer: test.signer,
      projectId: test.project.id,
      issuer: 'urn:silentauth:test',
      publicUrl: 'http://127.0.0.1:4747',
      sweepMs: 0,
      pollMs: 0,
      now: test.clock.now,
      notifiers: [{ name: 'hanging', notify: () => hanging.promise }],
    })
    const own = gate.gateFor({ type: 'key', id: test.key.id, projectId: test.project.id })
    const { id } = await own.declare({ action: 'issue_refund', params: {} })
    const { intentHash } = await gate.desk.read(test.approver, id)
    await gate.desk.vote(test.approver, id, { verdict: 'approve', intentHash })
    expect(await own.read(id)).toMatchObject({ status: 'approved' })
    hanging.resolve()
  })
})

interface SceneOptions {
  readonly notifiers?: readonly string[]
  readonly more?: readonly Notifier[]
  readonly fail?: Readonly<Record<string, () => Error>>
  readonly random?: number
  readonly timeoutMs?: number
  readonly onFailure?: () => void
}

/** A gate that writes deliveries for these notifiers, and the worker that makes them, which runs when it is told to. */
async function aScene({ notifiers = [], more = [], fail = {}, random = 0.5, timeoutMs, onFailure }: SceneOptions) {
  const clock = fakeClock()
  const heard = new Map<string, NotifierEvent[]>()
  const failures: DeliveryFailure[] = []
  const all: Notifier[] = [
    ...more,
    ...notifiers.map((name) => ({
      name,
      async notify(event: NotifierEvent) {
        heard.set(name, [...(heard.get(name) ?? []), event])
        const error = fail[name]?.()
        if (error) throw error
      },
    })),
  ]
  const channels = all.map(({ name }) => name)
  const memory = memoryStore({ now: clock.now })
  // As a gate with these notifiers writes it; its own worker stays out of the way.
  const store: Store = {
    ...memory,
    transaction: (work) =>
      memory.transaction((tx) =>
        work({ ...tx, enqueue: (rows) => tx.enqueue(rows.map((row) => ({ ...row, channels }))) }),
      ),
  }
  const test = await testGate({ clock, store })
  const options: OutboxDeliveryOptions = {
    store,
    projectId: test.project.id,
    notifiers: all,
    pollMs: 0,
    timeoutMs,
    random: () => random,
    onFailure: onFailure ?? ((failure) => failures.push(failure)),
  }
  const delivery = outboxDelivery(options)
  return {
    test,
    clock,
    options,
    delivery,
    failures,
    heard: (name: string): readonly NotifierEvent[] =>
      (heard.get(name) ?? []).toSorted((one, other) => one.sequence - other.sequence || one.attempt - other.attempt),
    declare: (params = {}) => test.gate.declare({ action: 'issue_refund', params }),
    counts: () => store.deliveryCounts(test.project.id),
    claimAndDie: () =>
      store.transaction(async (tx) => {
        const now = await tx.now()
        await tx.claimDeliveries({ projectId: test.project.id, channel: 'chat', now, leaseMs: 30_000, limit: 10 })
      }),
    async [Symbol.asyncDispose]() {
      await delivery[Symbol.asyncDispose]()
      await test[Symbol.asyncDispose]()
    },
  }
}
