/**
 * Who asks: what the gate itself knows of it. What the caller only says of itself stands among the claims.
 *
 * @module
 */
import type { WireReview } from '@silentauth/core/wire'
import { Link } from 'wouter'
import { formatAge, formatDuration, formatInstant } from './format.js'
import { Icon } from './icons.js'
import { messages } from './messages.js'
import { Fact, Section } from './section.js'
import { useNow } from './services.js'

export function FactsSection({ review }: { review: WireReview }) {
  const { view } = review
  const text = messages.facts
  const now = useNow()
  const createdAt = Date.parse(review.created_at)
  const allows = [view.reenters && text.reenters, view.idempotent && text.idempotent].filter((says) => says !== false)
  return (
    <Section
      title={text.title}
      aside={
        <span className="inline-flex items-center gap-1.5 text-[0.8125rem] font-semibold text-gate">
          <Icon name="shield" />
          {text.known}
        </span>
      }
    >
      <dl className="divide-y divide-line rounded-xl border border-line bg-surface px-4 py-1 sm:px-5">
        <Fact name={text.agent}>
          <AgentFact review={review} />
        </Fact>
        {review.agent && <Fact name={text.owner}>{review.agent.owner ?? <Unstated says={text.noOwner} />}</Fact>}
        <Fact name={text.key}>{review.key_name}</Fact>
        {review.environment && <Fact name={text.environment}>{review.environment}</Fact>}
        <Fact name={text.asked}>
          <time dateTime={review.created_at}>{formatInstant(createdAt)}</time>{' '}
          <span className="text-soft">({formatAge(createdAt, now)})</span>
        </Fact>
        <Fact name={text.audience}>
          <span className="value">{view.aud}</span>
        </Fact>
        <Fact name={text.window}>{text.windowLong(formatDuration(view.execution_window * 1_000))}</Fact>
        {allows.length > 0 && <Fact name={text.allows}>{allows.join('; ')}</Fact>}
        {view.supersedes && (
          <Fact name={text.supersedes}>
            <IntentLink id={view.supersedes} />
          </Fact>
        )}
        <Fact name={text.intent}>
          <span className="value break-all">{view.intent_id}</span>
        </Fact>
      </dl>
    </Section>
  )
}

function AgentFact({ review: { agent, risk } }: { review: WireReview }) {
  const text = messages.facts
  if (!agent) {
    return (
      <>
        <span className="font-semibold text-care">{text.unregistered}</span>
        <span className="block text-[0.875rem] text-soft">{text.unregisteredLong}</span>
      </>
    )
  }
  const stopped = agent.status !== 'active'
  return (
    <>
      <span className="font-semibold">{agent.name}</span>{' '}
      <span className={stopped ? 'font-semibold text-stop' : 'text-soft'}>
        ({text.registered}, {text.agentStatus[agent.status] ?? agent.status})
      </span>
      <span className="value block break-all text-soft">{agent.id}</span>
      {risk.factors.some(({ name }) => name === 'unbound_key') && (
        <span className="block text-[0.875rem] text-care">{text.unbound}</span>
      )}
    </>
  )
}

function Unstated({ says }: { says: string }) {
  return <span className="text-soft">{says}</span>
}

export function IntentLink({ id }: { id: string }) {
  return (
    <Link
      href={`/inbox/${id}`}
      className="value break-all text-gate underline decoration-1 underline-offset-3 hover:decoration-2"
    >
      {id}
    </Link>
  )
}
