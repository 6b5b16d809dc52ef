/**
 * Delivery of the outbox: every notifier has its own deliveries, claimed with a lease, tried with a time limit, tried again
 * later and later, and given up at the end. Several processes share the work; one that dies gives its part back by the lease.
 *
 * @module
 */
import { SilentAuthError } from './errors.js'
import type { ProjectId } from './id.js'
import type { EpochMs } from './json.js'
import { clock } from './lifecycle.js'
import type { Notifier } from './notifier.js'
import type { ClaimedDelivery, DeliveryEnd } from './outbox.js'
import { atMost } from './sleep.js'
import type { Store } from './store.js'

export interface OutboxDeliveryOptions {
  readonly store: Store
  readonly projectId: ProjectId
  readonly notifiers: readonly Notifier[]
  /** Catch-up of deliveries that no local commit told of, and of those that are due again; 0: never. @default 5000 */
  readonly pollMs?: number | undefined
  /** How long one call of a notifier may take. @default 10_000 */
  readonly timeoutMs?: number | undefined
  /** Of the pauses. @default Math.random */
  readonly random?: (() => number) | undefined
  /** Called after an attempt failed. */
  readonly onFailure?: ((failure: DeliveryFailure) => void) | undefined
}

export interface DeliveryFailure {
  readonly notifier: string
  readonly eventId: string
  readonly attempt: number
  readonly error: unknown
  /** When it is tried again; undefined: never. */
  readonly retryAt: EpochMs | undefined
}

export interface OutboxDelivery extends AsyncDisposable {
  /** Says that there may be something to deliver. */
  wake(): void
  /** Tries everything that is due, once; resolves when it has been tried. */
  deliverDue(): Promise<void>
  /** Forgets events that are older than every execution window, delivered or not. */
  prune(): Promise<void>
}

/** Before the second attempt, the third, and so on. */
const PAUSES_SECONDS = [5, 60, 300, 1800, 7200, 21_600, 43_200, 86_400] as const
export const MAX_ATTEMPTS = PAUSES_SECONDS.length + 1
const LONGEST_PAUSE_SECONDS = 86_400
/** Of each notifier: one call that hangs leaves room for others. */
const CONCURRENCY = 8
/** Beyond the time limit, so that nobody repeats what is still under way. */
const LEASE_MARGIN_MS = 20_000
const CLOSE_MS = 5000
const PRUNE_MS = 3_600_000
const PRUNE_BATCH = 1000
/** The longest execution window: nothing comes of an older event. */
const RETENTION_MS = 30 * 86_400_000

export function outboxDelivery(options: OutboxDeliveryOptions): OutboxDelivery {
  const { store, notifiers, pollMs = 5000 } = options
  const names = notifiers.map(({ name }) => name)
  if (new Set(names).size < names.length) throw new TypeError('two notifiers have the same name')
  const channels = notifiers.map((notifier) => channelDelivery(options, notifier))
  let pruning = Promise.resolve()
  const pruneLater = (): void => {
    pruning = pruning.then(prune).catch(() => undefined)
  }
  const timer = pollMs === 0 ? undefined : setInterval(pruneLater, PRUNE_MS)
  timer?.unref?.()
  let closed = false

  async function prune(): Promise<void> {
    while (!closed) {
      const before = (await store.now()) - RETENTION_MS
      const pruned = await store.transaction((tx) => tx.pruneOutbox({ before, limit: PRUNE_BATCH }))
      if (pruned < PRUNE_BATCH) return
    }
  }

  // Also in a process that never lives for an hour.
  if (pollMs > 0) pruneLater()
  return {
    wake() {
      for (const channel of channels) channel.wake()
    },
    async deliverDue() {
      await Promise.all(channels.map((channel) => channel.deliverDue()))
    },
    prune,
    async [Symbol.asyncDispose]() {
      closed = true
      clearInterval(timer)
      await Promise.all([pruning, ...channels.map((channel) => channel.close())])
    },
  }
}

interface ChannelDelivery {
  wake(): void
  deliverDue(): Promise<void>
  close(): Promise<void>
}

function channelDelivery(options: OutboxDeliveryOptions, notifier: Notifier): ChannelDelivery {
  const { store, projectId, pollMs = 5000, timeoutMs = 10_000 } = options
  const own = { projectId, channel: notifier.name }
  const underWay = new Set<Promise<void>>()
  const closing = new AbortController()
  let closed = false
  let filling: Promise<void> | undefined
  let missed = false
  let timer: ReturnType<typeof setTimeout> | undefined

  /** As many as there is room for. @returns in how many milliseconds there is more to do; undefined: nobody knows */
  async function fill(): Promise<number | undefined> {
    for (;;) {
      const room = CONCURRENCY - underWay.size
      // Whichever ends next makes room, and looks again.
      if (closed || room === 0) return undefined
      const dueAt = await store.nextDelivery(own)
      const now = await store.now()
      // Looked at first: claiming takes a write lock.
      if (dueAt === undefined || dueAt > now) return dueAt === undefined ? undefined : dueAt - now
      const claimedAt = performance.now()
      for (const delivery of await claim(room)) start(delivery, claimedAt)
    }
  }

  function claim(limit: number): Promise<readonly ClaimedDelivery[]> {
    return store.transaction(async (tx) => {
      const now = await tx.now()
      return tx.claimDeliveries({ ...own, now, leaseMs: timeoutMs + LEASE_MARGIN_MS, limit })
    })
  }

  function start(delivery: ClaimedDelivery, claimedAt: number): void {
    const done = deliver(delivery, claimedAt)
      // Nobody could write down what came of it: the lease ends, and it is delivered again.
      .catch(() => undefined)
      .finally(() => {
        underWay.delete(done)
        wake()
      })
    underWay.add(done)
  }

  async function deliver(delivery: ClaimedDelivery, claimedAt: number): Promise<void> {
    const { event, attempts } = delivery
    // Whoever claimed it the last time died with it.
    if (attempts > MAX_ATTEMPTS) return end(delivery, { type: 'dead' })
    const stored = await store.intent(event.intentId)
    if (!stored) return end(delivery, { type: 'delivered' })
    const { action, source, sourceType, riskTier } = stored.declaration
    const { status } = clock(stored, await store.now()).state
    // A process that was stopped for a while: somebody else may be about to deliver it.
    if (performance.now() - claimedAt >= LEASE_MARGIN_MS) return
    const told = { ...event, attempt: attempts, action, source, sourceType, riskTier, status }
    try {
      await within(timeoutMs, closing.signal, async (signal) => notifier.notify(told, { signal }))
    } catch (error) {
      if (!closing.signal.aborted) await failed(delivery, error)
      return
    }
    await end(delivery, { type: 'delivered' })
  }

  async function failed(delivery: ClaimedDelivery, error: unknown): Promise<void> {
    const { event, attempts } = delivery
    const pause = pauseMs(attempts, error, options.random)
    const retryAt = pause === undefined ? undefined : (await store.now()) + pause
    await end(delivery, retryAt === undefined ? { type: 'dead' } : { type: 'again', dueAt: retryAt })
    try {
      options.onFailure?.({ notifier: notifier.name, eventId: event.id, attempt: attempts, error, retryAt })
    } catch {}
  }

  function end(delivery: ClaimedDelivery, how: DeliveryEnd): Promise<void> {
    return store.transaction((tx) => tx.endDelivery(delivery, how))
  }

  async function idle(): Promise<void> {
    while (filling || underWay.size > 0) await Promise.all([filling, ...underWay])
  }

  function wake(): void {
    if (closed) return
    missed = true
    filling ??= run()
  }

  async function run(): Promise<void> {
    clearTimeout(timer)
    let nextMs: number | undefined
    while (missed && !closed) {
      missed = false
      // A store that is away is asked again with the next poll.
      nextMs = await fill().catch(() => undefined)
    }
    filling = undefined
    if (closed || pollMs === 0) return
    timer = setTimeout(wake, Math.min(pollMs, Math.max(1, nextMs ?? pollMs)))
    ;(timer as { unref?: () => void }).unref?.()
  }

  if (pollMs > 0) wake()
  return {
    wake,
    async deliverDue() {
      wake()
      await idle()
    },
    async close() {
      closed = true
      clearTimeout(timer)
      await atMost(CLOSE_MS, idle())
      // Not written down as a failure: whoever runs next delivers it when the lease has ended.
      closing.abort(new SilentAuthError('GATE_UNAVAILABLE', 'the gate was closed'))
      await atMost(CLOSE_MS, idle())
    },
  }
}

/** How long to wait after so many attempts; undefined: that was the last. A receiver may ask for longer, up to a day. */
function pauseMs(attempts: number, error: unknown, random = Math.random): number | undefined {
  const planned = PAUSES_SECONDS[attempts - 1]
  if (planned === undefined) return undefined
  // Receivers that came back must not be met by all of their events at once.
  const jittered = planned * (0.8 + 0.4 * random())
  const asked = (error as { retryAfterSeconds?: unknown } | null | undefined)?.retryAfterSeconds
  const demanded = typeof asked === 'number' && asked > 0 ? Math.min(asked, LONGEST_PAUSE_SECONDS) : 0
  return Math.round(Math.max(jittered, demanded) * 1000)
}

/** Rejects when the time is up or the gate closes, whatever the call makes of its signal. */
async function within(
  timeoutMs: number,
  closing: AbortSignal,
  call: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const late = new AbortController()
  const signal = AbortSignal.any([late.signal, closing])
  const timer = setTimeout(() => late.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  let stop = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    await Promise.race([call(signal), aborted])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}
