/**
 * What became of a decided intent: status, by whom, its execution, and what a person can still do about it.
 *
 * @module
 */
import type { WireReview } from '@silentauth/core/wire'
import { useState } from 'react'
import { Button } from './button.js'
import { AskDialog } from './dialog.js'
import { explain } from './explain.js'
import { IntentLink } from './facts-section.js'
import { formatAge, formatDuration, formatInstant } from './format.js'
import { Icon, type IconName } from './icons.js'
import { mayLiftDenial, mayReconcile, mayWithdraw } from './may-decide.js'
import { messages } from './messages.js'
import { Quorum } from './quorum.js'
import { SafeInline } from './safe-value.js'
import { Notice } from './section.js'
import { useNow } from './services.js'
import type { Acting } from './use-acts.js'

const MARKS: Record<WireReview['status'], { icon: IconName; look: string }> = {
  pending: { icon: 'clock', look: 'bg-calm-tint text-calm' },
  approved: { icon: 'check', look: 'bg-gate-tint text-gate' },
  denied: { icon: 'cross', look: 'bg-stop-tint text-stop' },
  changes_requested: { icon: 'pencil', look: 'bg-care-tint text-care' },
  expired: { icon: 'clock', look: 'bg-sunken text-soft' },
  cancelled: { icon: 'cross', look: 'bg-sunken text-soft' },
  superseded: { icon: 'next', look: 'bg-sunken text-soft' },
}

export function OutcomePanel({ review, acting }: { review: WireReview; acting: Acting }) {
  const { status, resolution, resolved_at } = review
  const now = useNow()
  const { icon, look } = MARKS[status]
  const text = messages.record
  return (
    <div className="space-y-4">
      <div className="flex items-center gap-3">
        <span className={`grid size-11 place-items-center rounded-full ${look}`}>
          <Icon name={icon} className="size-6" />
        </span>
        <div>
          <p className="text-lg leading-6 font-semibold">{messages.status[status]}</p>
          <p className="label">
            {resolution && text.resolvedBy[resolution.by]}
            {resolved_at && (
              <>
                {' · '}
                <time dateTime={resolved_at} title={formatInstant(Date.parse(resolved_at))}>
                  {formatAge(Date.parse(resolved_at), now)}
                </time>
              </>
            )}
          </p>
        </div>
      </div>
      {/* A voter's own words stand beside the vote. */}
      {resolution?.comment && !review.votes.some(({ comment }) => comment === resolution.comment) && (
        <blockquote className="border-l-2 border-edge pl-3">
          <SafeInline raw={resolution.comment} className="font-sans" />
        </blockquote>
      )}
      {resolution?.earlier_intent && (
        <p className="text-[0.875rem]">
          {text.earlier} <IntentLink id={resolution.earlier_intent} />
        </p>
      )}
      {review.superseded_by && (
        <p className="text-[0.875rem]">
          {text.supersededBy} <IntentLink id={review.superseded_by} />
        </p>
      )}
      <Quorum review={review} />
      {status === 'approved' && <Execution review={review} />}
      {review.denial && mayLiftDenial(review, now) && (
        <div className="grid gap-2.5">
          <p className="label">{text.remembered(formatInstant(Date.parse(review.denial.remembered_until)))}</p>
          <Button
            look="plain"
            disabled={acting.pending !== undefined}
            onClick={() => acting.act({ type: 'lift_denial' })}
          >
            {text.liftDenial}
          </Button>
        </div>
      )}
      {(mayWithdraw(review) || mayReconcile(review)) && <Aftermath review={review} acting={acting} />}
      {acting.error !== null && (
        <Notice tone="stop" title={messages.error.lead} role="alert">
          {explain(acting.error).join(' ')}
        </Notice>
      )}
    </div>
  )
}

function Execution({ review: { execution, use_until } }: { review: WireReview }) {
  const text = messages.record
  const now = useNow()
  const left = use_until === null ? 0 : Date.parse(use_until) - now
  const open = execution.state === 'none' || execution.state === 'suspended' || execution.state === 'delivered'
  return (
    <div className="border-t border-line pt-4">
      <p className="label">{text.executionTitle}</p>
      <p className="font-semibold">{text.execution[execution.state]}</p>
      <ul className="label space-y-0.5">
        {execution.reported_by && <li>{text.reportedBy[execution.reported_by] ?? execution.reported_by}</li>}
        {execution.state === 'started' && execution.deadline && (
          <li>{text.deadline(formatInstant(Date.parse(execution.deadline)))}</li>
        )}
        {execution.continuations > 0 && <li>{text.continuations(execution.continuations)}</li>}
        {open && use_until && left > 0 && (
          <li>
            {text.useUntil(formatInstant(Date.parse(use_until)))} ({messages.inbox.left(formatDuration(left))})
          </li>
        )}
      </ul>
      {execution.state === 'unknown' && (
        <div className="mt-2">
          <Notice tone="care">{text.unknown}</Notice>
        </div>
      )}
      {execution.disputed && (
        <div className="mt-2">
          <Notice tone="stop">{text.disputed}</Notice>
        </div>
      )}
    </div>
  )
}

/** Taking back what has not ended, and saying how something ended that never said so itself. */
function Aftermath({ review, acting }: { review: WireReview; acting: Acting }) {
  const [asked, setAsked] = useState<'withdraw' | 'reconcile'>()
  const close = () => setAsked(undefined)
  const busy = acting.pending !== undefined
  const text = messages.dialog
  const found = (finding: 'happened' | 'did_not_happen') => (comment: string) => {
    close()
    acting.act({ type: 'reconcile', finding, comment: comment.trim() })
  }
  return (
    <div className="grid gap-2.5">
      {mayReconcile(review) && (
        <Button look="gate" disabled={busy} onClick={() => setAsked('reconcile')}>
          {messages.record.reconcile}
        </Button>
      )}
      {mayWithdraw(review) && (
        <Button look="stop" disabled={busy} onClick={() => setAsked('withdraw')}>
          {messages.record.withdraw}
        </Button>
      )}
      <AskDialog
        open={asked === 'withdraw'}
        onClose={close}
        title={text.withdrawTitle}
        lead={text.withdrawLead}
        label={text.withdrawLabel}
        answers={[
          {
            label: text.withdraw,
            look: 'stop',
            onPick(reason) {
              close()
              acting.act({ type: 'withdraw', reason: reason.trim() })
            },
          },
        ]}
      />
      <AskDialog
        open={asked === 'reconcile'}
        onClose={close}
        title={text.reconcileTitle}
        lead={text.reconcileLead}
        label={text.reconcileLabel}
        answers={[
          { label: text.didNotHappen, look: 'plain', onPick: found('did_not_happen') },
          { label: text.happened, look: 'plain', onPick: found('happened') },
        ]}
      />
    </div>
  )
}
