/**
 * Changes over PostgreSQL: ids of intents in batched notifications, on a connection of its own. A hint and no more: what was missed
 * while the connection was away, or because a pooler swallows notifications, is found by catching up.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Changes, IntentId } from '@silentauth/core'
import type pg from 'pg'

export interface ChangesOptions {
  /** While notifications do not arrive: how often to catch up. @default 1000 */
  readonly catchUpMs?: number | undefined
  /** How often a notification to itself shows that they still arrive. @default 15000 */
  readonly selfTestMs?: number | undefined
  /** How long that one may take. @default 2000 */
  readonly heardWithinMs?: number | undefined
  /** Told when notifications stop arriving, and why. */
  readonly onWarning?: ((message: string) => void) | undefined
}

export interface PostgresChanges extends Changes, AsyncDisposable {
  /** Whether the last notification to itself arrived. */
  readonly hears: boolean
}

const CHANNEL = 'silentauth_changes'
/** Ids that come this close to each other go in one notification. */
const GATHER_MS = 3
/** PostgreSQL takes less than 8000 bytes. */
const MAX_PAYLOAD_BYTES = 7900
/** So many at once are not told one by one. */
const MAX_QUEUED = 10_000
const EVERYTHING = '*'
const SELF_TEST = '?'
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 5000

/** Connects when somebody first publishes or subscribes. @param open a connection of its own */
export function postgresChanges(open: () => Promise<pg.Client>, options: ChangesOptions = {}): PostgresChanges {
  const { catchUpMs = 1000, selfTestMs = 15_000, heardWithinMs = 2000, onWarning } = options
  const subscribers = new Set<{ listener: (ids: readonly IntentId[]) => void; catchUp: () => void }>()
  const queued = new Set<IntentId>()
  const closing = new AbortController()
  const { signal: closed } = closing
  let client: pg.Client | undefined
  let running: Promise<unknown> | undefined
  let sending: Promise<void> | undefined
  let hears = false
  let warned = false
  /** Of the last notification to itself, until it is heard. */
  let expected: { readonly payload: string; heard(): void } | undefined

  const catchUp = (): void => {
    for (const subscriber of subscribers) tell(subscriber.catchUp)
  }

  function take(payload: string): void {
    if (payload === expected?.payload) expected.heard()
    if (payload === EVERYTHING) catchUp()
    const ids = payload.split(',').filter((id): id is IntentId => id.startsWith('int_'))
    if (ids.length > 0) for (const { listener } of subscribers) tell(() => listener(ids))
  }

  /** Connects, listens, and looks from time to time whether anything arrives, until the connection is lost. */
  async function listen(): Promise<void> {
    const own = await open()
    const gone = new AbortController()
    const over = AbortSignal.any([closed, gone.signal])
    try {
      own.once('end', () => gone.abort())
      own.on('notification', ({ channel, payload = '' }) => {
        if (channel === CHANNEL) take(payload)
      })
      await own.query(`listen ${CHANNEL}`)
      client = own
      send()
      do await selfTest(own, over)
      while (await pause(selfTestMs, over))
    } finally {
      client = undefined
      hears = false
      await own.end().catch(() => undefined)
    }
  }

  /** @throws when the connection is of no more use */
  async function selfTest(own: pg.Client, over: AbortSignal): Promise<void> {
    const arrived = new AbortController()
    const payload = `${SELF_TEST}${crypto.randomUUID()}`
    expected = { payload, heard: () => arrived.abort() }
    const sent = own.query('select pg_notify($1, $2)', [CHANNEL, payload])
    // Looked at below: until then nobody would have seen it fail.
    sent.catch(() => undefined)
    await pause(heardWithinMs, AbortSignal.any([over, arrived.signal]))
    const before = hears
    hears = arrived.signal.aborted && !over.aborted
    if (hears) warned = false
    // It listens, so what is decided from here on is heard: now what was decided before.
    if (hears && !before) catchUp()
    await sent
    if (!hears && !over.aborted) {
      warn('notifications of PostgreSQL do not arrive (behind a pooler of transactions?): polling instead')
    }
  }

  function warn(message: string): void {
    if (warned || closed.aborted) return
    warned = true
    tell(() => onWarning?.(message))
  }

  async function run(): Promise<void> {
    let failures = 0
    do {
      const since = performance.now()
      await listen().catch(() => warn('the connection for notifications of PostgreSQL is lost: polling instead'))
      failures = performance.now() - since > LONGEST_PAUSE_MS ? 0 : failures + 1
      // Jitter: nodes that lost their database together must not come back together.
    } while (await pause(Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures), closed))
  }

  async function poll(): Promise<void> {
    while (await pause(catchUpMs, closed)) if (!hears) catchUp()
  }

  function start(): void {
    running ??= Promise.all([run(), poll()])
  }

  /** One notification at a time. What comes while there is no connection waits for one. */
  function send(): void {
    sending ??= sendQueued().finally(() => {
      sending = undefined
    })
  }

  async function sendQueued(): Promise<void> {
    while (client && queued.size > 0 && (await pause(GATHER_MS, closed))) {
      const payloads = queued.size > MAX_QUEUED ? [EVERYTHING] : payloadsOf(queued)
      queued.clear()
      // One that is lost is made good by those who catch up.
      for (const payload of payloads) {
        await client?.query('select pg_notify($1, $2)', [CHANNEL, payload]).catch(() => undefined)
      }
    }
  }

  return {
    get hears() {
      return hears
    },
    publish(ids) {
      if (closed.aborted || ids.length === 0) return
      start()
      if (queued.size <= MAX_QUEUED) for (const id of ids) queued.add(id)
      send()
    },
    subscribe(listener, catchUpOf) {
      const subscriber = { listener, catchUp: catchUpOf }
      if (!closed.aborted) start()
      subscribers.add(subscriber)
      return () => subscribers.delete(subscriber)
    },
    async [Symbol.asyncDispose]() {
      closing.abort()
      await sending
      await running
    },
  }
}

/** Ids joined by commas, each text below what a notification takes. */
function payloadsOf(ids: Iterable<string>): readonly string[] {
  const payloads: string[] = []
  let payload = ''
  for (const id of ids) {
    if (payload !== '' && payload.length + 1 + id.length > MAX_PAYLOAD_BYTES) {
      payloads.push(payload)
      payload = ''
    }
    payload = payload === '' ? id : `${payload},${id}`
  }
  return payload === '' ? payloads : [...payloads, payload]
}

/** @returns false when it was ended before its time */
async function pause(ms: number, ended: AbortSignal): Promise<boolean> {
  return delay(ms, true, { signal: ended, ref: false }).catch(() => false)
}

/** One subscriber that fails takes nothing from the others. */
function tell(listener: () => void): void {
  try {
    listener()
  } catch {}
}
