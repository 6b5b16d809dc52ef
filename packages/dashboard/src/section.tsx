/**
 * Sections of a review, and the two grounds that tell who speaks: the gate, or the agent.
 *
 * @module
 */
import { type ReactNode, useId } from 'react'
import { Icon, type IconName } from './icons.js'
import { messages } from './messages.js'

export interface SectionProps {
  readonly title: string
  readonly lead?: string
  /** Beside the title. */
  readonly aside?: ReactNode
  readonly children: ReactNode
}

/** What the gate knows, on plain ground. */
export function Section({ title, lead, aside, children }: SectionProps) {
  const id = useId()
  return (
    <section aria-labelledby={id}>
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
        <h2 id={id} className="text-[1.0625rem] font-semibold">
          {title}
        </h2>
        {aside}
      </div>
      {lead && <p className="label mt-0.5">{lead}</p>}
      <div className="mt-2.5">{children}</div>
    </section>
  )
}

/** What the agent says, on hatched ground. Its text lies in `[data-untrusted]`; the title and the badge are ours. */
export function ClaimSection({ title, lead, children }: SectionProps) {
  const id = useId()
  return (
    <section aria-labelledby={id} className="hatched overflow-hidden rounded-xl border border-dashed border-edge">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-dashed border-edge bg-claim px-4 py-2.5">
        <h2 id={id} className="text-[1.0625rem] font-semibold">
          {title}
        </h2>
        <ClaimBadge />
        {lead && <p className="label basis-full">{lead}</p>}
      </div>
      <div data-untrusted="claim" className="m-2.5 rounded-lg bg-claim px-3 py-1.5 sm:m-3.5 sm:px-4">
        {children}
      </div>
    </section>
  )
}

export function ClaimBadge() {
  return (
    <span className="inline-flex items-center gap-1.5 rounded px-2 py-0.5 text-[0.8125rem] font-semibold text-claim-ink inset-ring inset-ring-claim-ink">
      <Icon name="quote" className="size-3.5" />
      {messages.claims.badge}
    </span>
  )
}

export type NoticeTone = 'calm' | 'care' | 'stop'

const TONES: Record<NoticeTone, { look: string; icon: IconName }> = {
  calm: { look: 'bg-calm-tint text-ink', icon: 'clock' },
  care: { look: 'bg-care-tint text-ink inset-ring inset-ring-care-line', icon: 'warning' },
  stop: { look: 'bg-stop-tint text-ink inset-ring-2 inset-ring-stop', icon: 'warning' },
}
const TITLES: Record<NoticeTone, string> = { calm: 'text-calm', care: 'text-care', stop: 'text-stop' }

export function Notice({
  tone,
  title,
  role,
  children,
}: {
  tone: NoticeTone
  title?: string
  role?: 'alert'
  children?: ReactNode
}) {
  const { look, icon } = TONES[tone]
  return (
    <div role={role} className={`flex gap-3 rounded-xl px-4 py-3 ${look}`}>
      <Icon name={icon} className={`mt-0.5 size-5 ${TITLES[tone]}`} />
      <div className="min-w-0 flex-1">
        {title && <p className={`font-semibold ${TITLES[tone]}`}>{title}</p>}
        <div className="text-[0.9375rem] break-words">{children}</div>
      </div>
    </div>
  )
}

/** Name and value of one fact. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[7.5rem_minmax(0,1fr)] gap-x-4 py-2 sm:grid-cols-[9rem_minmax(0,1fr)]">
      <dt className="label pt-0.5">{name}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </div>
  )
}
