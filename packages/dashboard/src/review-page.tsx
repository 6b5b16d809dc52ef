/**
 * The review of one intent, in the order of the questions: what will happen, who asks, why it needs care, and then the decision.
 *
 * @module
 */

import { isSilentAuthError } from '@silentauth/core'
import type { WireReview } from '@silentauth/core/wire'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { ClaimsSection } from './claims-section.js'
import { TimeLeft } from './countdown.js'
import { DecisionPanel } from './decision-panel.js'
import { explain } from './explain.js'
import { FactsSection, IntentLink } from './facts-section.js'
import { checkView, type ViewCheck } from './intent-hash.js'
import { messages } from './messages.js'
import { OutcomePanel } from './outcome-panel.js'
import { ParamsSection } from './params-section.js'
import { ReviewNavigation } from './review-navigation.js'
import { RiskSection } from './risk-section.js'
import { SafeInline } from './safe-value.js'
import { Notice } from './section.js'
import { usePollMs, useServices } from './services.js'
import { Loading, Problem } from './state-page.js'
import { StatusText, TierBadge } from './tier.js'
import { useActs } from './use-acts.js'
import { useFolds } from './use-folds.js'

export function ReviewPage({ id }: { id: string }) {
  const { api } = useServices()
  const pollMs = usePollMs()
  const { data, error, refetch } = useQuery({
    queryKey: ['review', id],
    // Checked as it was read: the object that was hashed is the object that is rendered.
    queryFn: async ({ signal }) => {
      const review = await api.review(id, signal)
      return { review, check: await checkView(id, review) }
    },
    structuralSharing: false,
    refetchInterval: pollMs,
  })
  const missing = isSilentAuthError(error) && error.code === 'NOT_FOUND'
  return (
    <>
      <ReviewNavigation id={id} />
      {data ? (
        // A key of its own: nothing that was opened, typed or asked carries over to another intent.
        <ReviewArticle key={id} id={id} review={data.review} check={data.check} />
      ) : error ? (
        <Problem
          title={missing ? messages.review.notFoundTitle : messages.review.failedTitle}
          {...(missing ? {} : { onRetry: () => void refetch() })}
        >
          {missing ? messages.review.notFound : explain(error).join(' ')}
        </Problem>
      ) : (
        <Loading />
      )}
    </>
  )
}

function ReviewArticle({ id, review, check }: { id: string; review: WireReview; check: ViewCheck }) {
  const folds = useFolds(review.view.params)
  const acting = useActs(id)
  const pending = review.status === 'pending'
  useEffect(() => {
    document.title = messages.review.documentTitle(review.view.action)
  }, [review.view.action])
  // The buttons are gone once it is decided: who pressed one by keyboard or hears the page stays where the answer is.
  const decision = useRef<HTMLElement>(null)
  const wasPending = useRef(pending)
  useEffect(() => {
    if (wasPending.current && !pending && document.activeElement === document.body) decision.current?.focus()
    wasPending.current = pending
  }, [pending])
  return (
    <article data-intent={review.view.intent_id} className="appear">
      <Headline review={review} />
      <div className="mt-5 space-y-3">
        {check.type !== 'verified' && <Refusal check={check} />}
        {review.same_action.length > 0 && <SecondTime ids={review.same_action} />}
      </div>
      <div className="mt-6 grid items-start gap-x-8 gap-y-8 lg:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="min-w-0 space-y-8">
          <ParamsSection review={review} folds={folds} />
          <FactsSection review={review} />
          <RiskSection review={review} />
          <ClaimsSection review={review} />
        </div>
        <section
          ref={decision}
          tabIndex={-1}
          aria-labelledby="decision"
          className="rounded-2xl border border-line bg-surface p-5 shadow-sm lg:sticky lg:top-20"
        >
          <h2 id="decision" className="mb-3 text-[1.0625rem] font-semibold">
            {pending && review.can_vote.ok ? messages.decide.title : messages.decide.titleView}
          </h2>
          {pending ? (
            <DecisionPanel review={review} check={check} folds={folds} acting={acting} />
          ) : (
            <OutcomePanel review={review} acting={acting} />
          )}
        </section>
      </div>
    </article>
  )
}

/** One sentence made by the page from what the gate knows, and the action's name as large as anything here. */
function Headline({ review }: { review: WireReview }) {
  const { agent, environment, view } = review
  const text = messages.review
  const pending = review.status === 'pending'
  const who = agent ? agent.name : text.unregistered(review.key_name)
  return (
    <header>
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <TierBadge tier={view.risk_tier} />
        <StatusText status={review.status} />
        {pending && (
          <span className="font-semibold lg:hidden">
            <TimeLeft until={Date.parse(view.expires_at)} />
          </span>
        )}
      </p>
      <p className="mt-4 text-[1.0625rem] text-soft">{pending ? text.asks(who) : text.asked(who)}</p>
      <h1 className="font-mono text-[1.625rem] leading-tight font-semibold tracking-tight break-words sm:text-[2.125rem]">
        <SafeInline raw={view.action} />
      </h1>
      {environment && (
        <p className="mt-1 text-[1.0625rem] text-soft">
          {text.where} <strong className="font-semibold text-ink">{environment}</strong>
        </p>
      )}
    </header>
  )
}

/** What is on the screen is not what the gate says it holds, or nobody can tell. Loud, and there is no way around it. */
function Refusal({ check }: { check: Exclude<ViewCheck, { type: 'verified' }> }) {
  const text = messages.refusal
  const why = check.type === 'differs' ? text[check.what] : text[check.reason]
  return (
    <Notice tone="stop" title={text.title} role="alert">
      <p>{why}</p>
      {check.type === 'differs' && (
        <dl className="mt-2 text-[0.875rem]">
          <dt className="label">{text.computed}</dt>
          <dd className="value break-all">{check.computed}</dd>
          <dt className="label mt-1">{text.claimed}</dt>
          <dd className="value break-all">{check.claimed}</dd>
        </dl>
      )}
      <p className="mt-2 font-semibold">{text.advice}</p>
    </Notice>
  )
}

function SecondTime({ ids }: { ids: readonly string[] }) {
  return (
    <Notice tone="care" title={messages.sameAction.title}>
      <p>{messages.sameAction.says(ids.length)}</p>
      <ul className="mt-1">
        {ids.map((id) => (
          <li key={id}>
            <IntentLink id={id} />
          </li>
        ))}
      </ul>
    </Notice>
  )
}
