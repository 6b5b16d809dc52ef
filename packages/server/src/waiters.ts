/**
 * Waiters: the table of clients that wait for a change, with one clock for all of them. A wake-up is a hint; whoever is
 * woken asks again who is waiting and reads the row, which alone says what is true.
 *
 * @module
 */
import { type IntentId, SilentAuthError } from '@silentauth/core'
import { rota } from './rota.js'

/** One waiting client. It stays in the table until what `add` gave back is called. */
export interface Waiter {
  /** Key or person: whose share of the table it takes. */
  readonly principal: string
  /** undefined: every intent. */
  readonly intentId: IntentId | undefined
  /** Something may have changed. */
  wake(changed: IntentId | undefined): void
  /** Time to ask again whether the credential still holds. */
  recheck(): void
  /** Time to show a proxy that the line is alive. */
  beat?(): void
  /** The server is closing: answer with what is true now. */
  drain(): void
}

export interface WaitersOptions {
  /** @default 10_000 */
  readonly max?: number | undefined
  /** @default a tenth of `max` */
  readonly maxPerPrincipal?: number | undefined
  /** @default 60_000 */
  readonly recheckMs?: number | undefined
  /** Below the 30 to 60 s after which proxies cut an idle line. @default 20_000 */
  readonly beatMs?: number | undefined
  /** Catch-up for changes that another process made; 0: never. @default 5000 */
  readonly pollMs?: number | undefined
  /** Those of `ids` that have changed for good. */
  readonly settledAmong: (ids: readonly IntentId[]) => Promise<readonly IntentId[]>
}

export interface Waiters extends Disposable {
  readonly size: number
  /**
   * @returns takes it out again, on every path
   * @throws SilentAuthError `TOO_MANY_WAITERS` when the table, or the principal's share of it, is full
   */
  add(waiter: Waiter): () => void
  wake(id: IntentId): void
  /** Looks for changes that nobody was woken for. */
  catchUp(): Promise<void>
  /** Answers everybody; from then on nobody waits. */
  drain(): void
  readonly draining: boolean
}

export const DEFAULT_MAX_WAITERS = 10_000
/** As many ids as one query takes well. */
const POLL_CHUNK = 500

export function waiters(options: WaitersOptions): Waiters {
  const { max = DEFAULT_MAX_WAITERS, recheckMs = 60_000, beatMs = 20_000, pollMs = 5000, settledAmong } = options
  const share = options.maxPerPrincipal ?? Math.max(1, Math.floor(max / 10))
  const all = new Set<Waiter>()
  const rechecks = rota<Waiter>(recheckMs, (waiter) => waiter.recheck())
  const beats = rota<Waiter>(beatMs, (waiter) => waiter.beat?.())
  const byIntent = new Map<IntentId | undefined, Set<Waiter>>()
  const byPrincipal = new Map<string, number>()
  let polling: NodeJS.Timeout | undefined
  let draining = false
  let catching: Promise<void> | undefined
  let again = false

  const start = (): void => {
    polling = every(pollMs, () => void catchUp())
  }
  const stop = (): void => {
    clearInterval(polling)
  }
  const wakeAll = (watchers: ReadonlySet<Waiter> | undefined, changed: IntentId | undefined): void => {
    for (const waiter of [...(watchers ?? [])]) waiter.wake(changed)
  }
  const catchUp = (): Promise<void> => {
    // What was read before this call says nothing of what it is called for.
    again = true
    catching ??= lookAgain().finally(() => {
      catching = undefined
    })
    return catching
  }
  const lookAgain = async (): Promise<void> => {
    while (again) {
      again = false
      await lookForChanges()
    }
  }
  const lookForChanges = async (): Promise<void> => {
    const ids = [...byIntent.keys()].filter((id) => id !== undefined)
    wakeAll(byIntent.get(undefined), undefined)
    for (let at = 0; at < ids.length; at += POLL_CHUNK) {
      // A store that fails now is asked again by the next poll.
      const settled = await settledAmong(ids.slice(at, at + POLL_CHUNK)).catch(() => [])
      for (const id of settled) wakeAll(byIntent.get(id), id)
    }
  }

  return {
    get size() {
      return all.size
    },
    get draining() {
      return draining
    },

    add(waiter) {
      if (all.size >= max) throw tooMany('the gate has no room for more waiters')
      if ((byPrincipal.get(waiter.principal) ?? 0) >= share) throw tooMany(`${waiter.principal} has ${share} waiters`)
      const watchers = byIntent.get(waiter.intentId) ?? new Set()
      byIntent.set(waiter.intentId, watchers)
      watchers.add(waiter)
      all.add(waiter)
      const leaveRotas = [rechecks.add(waiter), beats.add(waiter)]
      byPrincipal.set(waiter.principal, (byPrincipal.get(waiter.principal) ?? 0) + 1)
      if (all.size === 1) start()
      return () => {
        if (!all.delete(waiter)) return
        for (const leave of leaveRotas) leave()
        watchers.delete(waiter)
        if (watchers.size === 0 && byIntent.get(waiter.intentId) === watchers) byIntent.delete(waiter.intentId)
        const left = (byPrincipal.get(waiter.principal) ?? 1) - 1
        if (left === 0) byPrincipal.delete(waiter.principal)
        else byPrincipal.set(waiter.principal, left)
        if (all.size === 0) stop()
      }
    },

    wake(id) {
      wakeAll(byIntent.get(id), id)
      wakeAll(byIntent.get(undefined), id)
    },

    catchUp,

    drain() {
      draining = true
      for (const waiter of [...all]) waiter.drain()
    },

    [Symbol.dispose]() {
      stop()
      rechecks[Symbol.dispose]()
      beats[Symbol.dispose]()
    },
  }
}

function every(ms: number, work: () => void): NodeJS.Timeout | undefined {
  return ms > 0 ? setInterval(work, ms).unref() : undefined
}

function tooMany(message: string): SilentAuthError {
  return new SilentAuthError('TOO_MANY_WAITERS', message, { retryAfterSeconds: 2 })
}
