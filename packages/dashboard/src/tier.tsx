/**
 * The risk tier and the status of an intent as small labels. Shape and word say it; colour only repeats it.
 *
 * @module
 */
import type { WireReview } from '@silentauth/core/wire'
import { messages } from './messages.js'

type Tier = WireReview['risk']['tier']
type Status = WireReview['status']

const TIERS: Record<Tier, { bars: number; look: string }> = {
  low: { bars: 1, look: 'text-soft bg-sunken inset-ring-line' },
  medium: { bars: 2, look: 'text-calm bg-calm-tint inset-ring-transparent' },
  high: { bars: 3, look: 'text-care bg-care-tint inset-ring-care-line' },
  critical: { bars: 4, look: 'text-on-stop bg-stop-fill inset-ring-transparent' },
}

export function TierBadge({ tier }: { tier: Tier }) {
  const { bars, look } = TIERS[tier]
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded px-2 py-0.5 text-[0.8125rem] font-semibold whitespace-nowrap inset-ring ${look}`}
    >
      <svg viewBox="0 0 14 10" className="h-2.5 w-3.5" aria-hidden="true" focusable="false">
        {[0, 1, 2, 3].map((bar) => (
          <rect
            key={bar}
            x={bar * 3.75}
            y={7.5 - bar * 2.25}
            width="2.5"
            height={2.5 + bar * 2.25}
            rx="0.5"
            fill="currentColor"
            opacity={bar < bars ? 1 : 0.28}
          />
        ))}
      </svg>
      {messages.tier[tier]}
      <span className="sr-only"> risk</span>
    </span>
  )
}

const STATUSES: Record<Status, string> = {
  pending: 'text-calm',
  approved: 'text-gate',
  denied: 'text-stop',
  changes_requested: 'text-care',
  expired: 'text-soft',
  cancelled: 'text-soft',
  superseded: 'text-soft',
}

export function StatusText({ status }: { status: Status }) {
  return <span className={`font-semibold ${STATUSES[status]}`}>{messages.status[status]}</span>
}
