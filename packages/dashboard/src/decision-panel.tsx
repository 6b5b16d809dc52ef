/**
 * The decision: time left, quorum, what stands in the way, and the three answers. Keys answer for the intent that is on the
 * screen, and for no other.
 *
 * @module
 */
import { isSilentAuthError } from '@silentauth/core'
import type { WireReview } from '@silentauth/core/wire'
import { useEffect, useEffectEvent, useState } from 'react'
import type { Verdict } from './api.js'
import { Button } from './button.js'
import { Countdown } from './countdown.js'
import { explain } from './explain.js'
import { Icon } from './icons.js'
import type { ViewCheck } from './intent-hash.js'
import { Key } from './key.js'
import { type Command, commandOf } from './keys.js'
import { isGrave, type Obstacle, obstacleToApprove, obstacleToRefuse, unseenValues } from './may-decide.js'
import { messages } from './messages.js'
import { Quorum } from './quorum.js'
import { Notice } from './section.js'
import { useNow, useWhoAmI } from './services.js'
import type { Acting } from './use-acts.js'
import type { Folds } from './use-folds.js'
import { VoteDialog } from './vote-dialog.js'

export interface DecisionPanelProps {
  readonly review: WireReview
  readonly check: ViewCheck
  readonly folds: Folds
  readonly acting: Acting
}

export function DecisionPanel({ review, check, folds, acting }: DecisionPanelProps) {
  const { view } = review
  const [asked, setAsked] = useState<Verdict>()
  const [comment, setComment] = useState('')
  const now = useNow()
  const email = useWhoAmI()
  const screen = { review, check, unopened: folds.unopened, now }
  const toApprove = obstacleToApprove(screen)
  const toRefuse = obstacleToRefuse(screen)
  const busy = acting.pending !== undefined
  const hash = check.type === 'verified' ? check.hash : undefined

  const send = (verdict: Verdict, more: { comment?: string; confirm?: string }): void => {
    setAsked(undefined)
    if (hash !== undefined) acting.act({ type: 'vote', verdict, intentHash: hash, ...more })
  }
  const start = (verdict: Verdict): void => {
    if (busy || (verdict === 'approve' ? toApprove : toRefuse) !== undefined) return
    if (verdict === 'approve' && review.confirmation === null) send('approve', { comment: comment.trim() })
    else setAsked(verdict)
  }
  useDecisionKeys(view.intent_id, asked !== undefined, start)

  const text = messages.decide
  const unseen = unseenValues(review)
  const unseenFirst = unseen.length > 0 && isSilentAuthError(acting.error) && acting.error.code === 'ASSURANCE_REQUIRED'
  return (
    <div className="space-y-4">
      {toRefuse === undefined && email && (
        <p className="-mt-3 break-words text-soft">
          {text.as} <span className="font-semibold text-ink">{email}</span>
          {review.can_vote.on_behalf_of !== null && `, ${messages.record.onBehalfOf(review.can_vote.on_behalf_of)}`}
        </p>
      )}
      <Countdown from={Date.parse(review.created_at)} until={Date.parse(view.expires_at)} />
      <Quorum review={review} />
      {review.quorum_out_of_reach && <Notice tone="care">{text.outOfReach}</Notice>}
      <ObstacleNote obstacle={toApprove ?? toRefuse} onShowAll={folds.openAll} />
      {toApprove === undefined && isGrave(review) && unseen.length > 0 && (
        <p className="text-[0.875rem] text-care">{messages.hidden.unseen(unseen.length)}</p>
      )}
      {toApprove === undefined && review.confirmation === null && (
        <details className="text-[0.875rem]">
          <summary className="w-fit cursor-pointer rounded font-semibold text-gate">{text.addComment}</summary>
          <label className="mt-1.5 block">
            <span className="label">{text.comment}</span>
            <textarea
              rows={2}
              maxLength={2_000}
              value={comment}
              onChange={(event) => setComment(event.currentTarget.value)}
              className="mt-1 w-full rounded-lg border border-edge bg-page px-3 py-2"
            />
          </label>
        </details>
      )}
      <div className="grid gap-2.5">
        <Button
          look="gate"
          className="min-h-12 text-base"
          disabled={toApprove !== undefined || busy}
          aria-keyshortcuts="a"
          onClick={() => start('approve')}
        >
          <Icon name="check" className="size-5" />
          {acting.pending === 'approve' ? text.sending : text.approve}
        </Button>
        <div className="grid grid-cols-[1fr_1.6fr] gap-2.5">
          <Button
            look="stop"
            disabled={toRefuse !== undefined || busy}
            aria-keyshortcuts="d"
            onClick={() => start('deny')}
          >
            {acting.pending === 'deny' ? text.sending : text.deny}
          </Button>
          <Button
            look="plain"
            className="px-2"
            disabled={toRefuse !== undefined || busy}
            aria-keyshortcuts="r"
            onClick={() => start('request_changes')}
          >
            {acting.pending === 'request_changes' ? text.sending : text.requestChanges}
          </Button>
        </div>
      </div>
      {acting.error !== null && (
        <Notice tone="stop" title={messages.error.lead} role="alert">
          {acting.lost ? text.lost : unseenFirst ? messages.hidden.first : explain(acting.error).join(' ')}
        </Notice>
      )}
      {toRefuse === undefined && <KeyHelp />}
      {hash !== undefined && (
        <p className="label flex gap-2 border-t border-line pt-3">
          <Icon name="shield" className="mt-0.5 size-4 text-gate" />
          <span className="min-w-0">
            {text.verified}
            <span className="value block break-all" data-intent-hash={hash}>
              {hash}
            </span>
          </span>
        </p>
      )}
      <VoteDialog
        asked={asked}
        review={review}
        onClose={() => setAsked(undefined)}
        onVote={(verdict, more) => send(verdict, more)}
      />
    </div>
  )
}

/** Binds the keys to one intent: what the address names, what is on the screen and what was rendered must be the same. */
function useDecisionKeys(id: string, dialogIsOpen: boolean, start: (verdict: Verdict) => void): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    const verdict = verdictOf(commandOf(event, dialogIsOpen || document.querySelector('[role=dialog]') !== null))
    if (verdict === undefined) return
    const shown = document.querySelector<HTMLElement>('[data-intent]')?.dataset.intent
    if (shown !== id || location.pathname !== `/inbox/${id}`) return
    event.preventDefault()
    start(verdict)
  })
  useEffect(() => {
    const listen = (event: KeyboardEvent) => onKey(event)
    addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  }, [])
}

function verdictOf(command: Command | undefined): Verdict | undefined {
  return command === 'approve' || command === 'deny' || command === 'request_changes' ? command : undefined
}

function KeyHelp() {
  const text = messages.decide
  return (
    <p className="label hidden flex-wrap items-center gap-x-3 gap-y-1 pointer-fine:flex">
      {(
        [
          ['a', text.keyApprove],
          ['d', text.keyDeny],
          ['r', text.keyChanges],
          ['j', text.keyNext],
        ] as const
      ).map(([key, says]) => (
        <span key={key} className="inline-flex items-center gap-1.5">
          <Key>{key}</Key>
          {says}
        </span>
      ))}
    </p>
  )
}

/** Why the buttons are off; said only where there is something to say. */
function ObstacleNote({ obstacle, onShowAll }: { obstacle: Obstacle | undefined; onShowAll: () => void }) {
  const text = messages.obstacle
  switch (obstacle?.type) {
    case undefined:
    case 'settled':
      return null
    case 'expired':
      return <Notice tone="care">{text.expired}</Notice>
    case 'unverified':
      return <Notice tone="stop">{text.unverified}</Notice>
    case 'agent_stopped':
      return (
        <Notice tone="care">{text.agentStopped(messages.facts.agentStatus[obstacle.status] ?? obstacle.status)}</Notice>
      )
    case 'cannot_vote':
      return (
        <Notice tone="care">
          {text.cannotVote[obstacle.code ?? ''] ?? `${text.cannotVoteOther} ${obstacle.reason ?? ''}`}
        </Notice>
      )
    case 'folded':
      return (
        <Notice tone="care">
          {text.folded(obstacle.count)}{' '}
          <Button look="bare" onClick={onShowAll}>
            {messages.params.showAll}
          </Button>
        </Notice>
      )
  }
}
