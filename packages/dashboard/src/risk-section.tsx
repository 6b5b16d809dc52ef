/**
 * Why it needs care: the score with the factors that it is the sum of, and the policy that asks for a decision.
 *
 * @module
 */
import type { WireReview } from '@silentauth/core/wire'
import { messages } from './messages.js'
import { Section } from './section.js'

export function RiskSection({ review: { risk, policy } }: { review: WireReview }) {
  const text = messages.risk
  const total = risk.factors.reduce((sum, { weight }) => sum + weight, 0)
  return (
    <Section title={text.title}>
      <div className="rounded-xl border border-line bg-surface px-4 py-4 sm:px-5">
        <div className="flex items-center gap-4">
          <p className="flex items-baseline gap-1.5" aria-hidden="true">
            <span className="text-2xl font-semibold">{risk.score}</span>
            <span className="label">{text.scoreShort}</span>
          </p>
          <svg viewBox="0 0 100 6" preserveAspectRatio="none" className="h-2 min-w-0 flex-1" role="img">
            <title>{text.score(risk.score)}</title>
            <rect width="100" height="6" className="fill-sunken" />
            {bars(risk.factors, Math.max(100, total)).map(({ name, x, width }, index) => (
              <rect
                key={name}
                x={x}
                width={Math.max(0, width - 0.6)}
                height="6"
                className={index % 2 === 0 ? 'fill-care' : 'fill-care opacity-65'}
              />
            ))}
          </svg>
        </div>
        <ul className="mt-3 divide-y divide-line" aria-label={text.factors}>
          {risk.factors.map(({ name, weight }) => (
            <li key={name} className="flex items-baseline justify-between gap-4 py-1.5">
              <span>{text.factor[name] ?? name}</span>
              <span className="label font-semibold whitespace-nowrap">+{weight}</span>
            </li>
          ))}
        </ul>
        <p className="mt-3 flex flex-wrap items-baseline gap-x-3 border-t border-line pt-3">
          <span className="label">{text.policy}</span>
          {policy ? (
            <>
              <span className="font-semibold">{policy.name}</span>
              <span className="value break-all text-soft">{policy.ref}</span>
            </>
          ) : (
            <span className="font-semibold">{text.noPolicy}</span>
          )}
        </p>
      </div>
    </Section>
  )
}

/** Where each factor lies on a bar of 100 units. */
function bars(
  factors: WireReview['risk']['factors'],
  total: number,
): readonly { name: string; x: number; width: number }[] {
  let x = 0
  return factors.map(({ name, weight }) => {
    const width = (weight / total) * 100
    const bar = { name, x, width }
    x += width
    return bar
  })
}
