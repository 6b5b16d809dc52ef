/**
 * Anchors: places that take checkpoints, where whoever runs this gate cannot take them back. They never hold the log up.
 *
 * @module
 */
import type { Sequencer } from './sequencer.js'
import { sleep } from './sleep.js'

export interface Anchor {
  /** For messages: of its own. */
  readonly name: string
  /** Rejects when it did not take it. */
  put(note: string, options: { readonly signal: AbortSignal }): Promise<void>
}

export interface AnchoringOptions {
  readonly log: Pick<Sequencer, 'head' | 'onCheckpoint'>
  readonly anchors: readonly Anchor[]
  /** Between two checkpoints to one anchor; only the newest is put. @default 60_000 */
  readonly everyMs?: number | undefined
  /** For one checkpoint, until the next one is due. @default 5 */
  readonly attempts?: number | undefined
  /** After the first failure; it doubles, with jitter. @default 1000 */
  readonly firstPauseMs?: number | undefined
  /** Of one attempt. @default 10_000 */
  readonly timeoutMs?: number | undefined
  /** Called when all attempts for one checkpoint failed. */
  readonly onFailure?: ((failure: { readonly anchor: string; readonly error: unknown }) => void) | undefined
}

/** Puts the newest checkpoint to every anchor, from the one that is there. Disposing it puts the last one, once. */
export function anchoring(options: AnchoringOptions): AsyncDisposable {
  const { log, anchors, everyMs = 60_000, attempts = 5, firstPauseMs = 1000, timeoutMs = 10_000, onFailure } = options
  const closing = new AbortController()
  const pause = (ms: number): Promise<unknown> => sleep(ms, closing.signal).catch(() => undefined)

  const lines = anchors.map((anchor) => {
    let waiting: string | undefined
    let running: Promise<void> | undefined

    async function put(note: string): Promise<void> {
      for (let attempt = 1; ; attempt++) {
        try {
          await anchor.put(note, { signal: AbortSignal.timeout(timeoutMs) })
          return
        } catch (error) {
          if (attempt >= attempts || closing.signal.aborted) {
            onFailure?.({ anchor: anchor.name, error })
            return
          }
        }
        await pause(firstPauseMs * 2 ** (attempt - 1) * (0.5 + Math.random() / 2))
        // What came meanwhile says more.
        note = waiting ?? note
        waiting = undefined
      }
    }

    async function run(): Promise<void> {
      while (waiting !== undefined) {
        const note = waiting
        waiting = undefined
        await put(note)
        await pause(everyMs)
      }
    }

    return {
      offer(note: string): void {
        waiting = note
        running ??= run().finally(() => {
          running = undefined
        })
      },
      async end(): Promise<void> {
        await running
      },
    }
  })

  const stop = log.onCheckpoint(({ note }) => {
    for (const line of lines) line.offer(note)
  })
  const { note } = log.head() ?? {}
  if (note !== undefined) for (const line of lines) line.offer(note)

  return {
    async [Symbol.asyncDispose]() {
      stop()
      closing.abort()
      await Promise.all(lines.map((line) => line.end()))
    },
  }
}
