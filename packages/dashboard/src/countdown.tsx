/**
 * The time that is left, by the gate's clock. Its colour grows warmer near the end; the words say the same.
 *
 * @module
 */
import type { EpochMs } from '@silentauth/core'
import { formatDuration, formatInstant } from './format.js'
import { messages } from './messages.js'
import { useNow } from './services.js'

const HURRY_MS = 5 * 60_000
const LAST_MS = 60_000

/** Text colour of a time left. */
export function urgency(leftMs: number): string {
  if (leftMs <= LAST_MS) return 'text-stop'
  return leftMs <= HURRY_MS ? 'text-care' : 'text-soft'
}

/** One line: "12 min 30 s left". */
export function TimeLeft({ until }: { until: EpochMs }) {
  const left = until - useNow()
  return (
    <time dateTime={new Date(until).toISOString()} title={formatInstant(until)} className={urgency(left)}>
      {left > 0 ? messages.inbox.left(formatDuration(left)) : messages.decide.over}
    </time>
  )
}

/** The large one beside a decision; a bar shows how much of the time has gone. */
export function Countdown({ from, until }: { from: EpochMs; until: EpochMs }) {
  const now = useNow()
  const left = until - now
  const share = Math.min(1, Math.max(0, left / Math.max(1, until - from)))
  const ends = messages.decide.until(formatInstant(until))
  return (
    <div>
      <p className="flex items-baseline gap-2" role="timer">
        {left > 0 ? (
          <>
            <span className={`text-xl font-semibold ${left <= HURRY_MS ? urgency(left) : 'text-ink'}`}>
              {formatDuration(left)}
            </span>
            <span className="label">{messages.decide.left}</span>
          </>
        ) : (
          <span className="font-semibold text-stop">{messages.decide.over}</span>
        )}
      </p>
      <svg viewBox="0 0 100 2" preserveAspectRatio="none" className="mt-1.5 h-1 w-full" aria-hidden="true">
        <rect width="100" height="2" rx="1" className="fill-line" />
        <rect width={share * 100} height="2" rx="1" className={`fill-current ${urgency(left)}`} />
      </svg>
      <p className="label mt-1.5">
        <time dateTime={new Date(until).toISOString()}>{ends}</time>
      </p>
    </div>
  )
}
