/**
 * Quorum: how many approvals there are of those needed, and who has voted how.
 *
 * @module
 */
import type { EpochMs } from '@silentauth/core'
import type { WireReview } from '@silentauth/core/wire'
import { formatAge } from './format.js'
import { Icon, type IconName } from './icons.js'
import { messages } from './messages.js'
import { SafeInline } from './safe-value.js'
import { useNow } from './services.js'

type WireVote = WireReview['votes'][number]

/** One step per approval that is needed; beyond twelve the words alone. */
export function QuorumSteps({ have, need, className = '' }: { have: number; need: number; className?: string }) {
  if (need < 1 || need > 12) return null
  return (
    <span className={`inline-flex gap-1 ${className}`} aria-hidden="true">
      {Array.from({ length: need }, (_, step) => (
        <span
          key={step}
          className={`size-2.5 rounded-full ${step < have ? 'bg-gate' : 'inset-ring inset-ring-edge'}`}
        />
      ))}
    </span>
  )
}

export function approvalsOf(review: WireReview): number {
  return review.votes.filter(({ verdict, edited }) => verdict === 'approve' && !edited).length
}

export function Quorum({ review }: { review: WireReview }) {
  const have = approvalsOf(review)
  const need = review.view.approvals_required
  return (
    <div>
      {need > 0 && (
        <p className="flex items-center gap-2.5 font-semibold">
          <QuorumSteps have={have} need={need} />
          {messages.decide.quorum(have, need)}
        </p>
      )}
      {review.votes.length > 0 && (
        <ul className="mt-1.5 space-y-1">
          {review.votes.map((vote) => (
            <Voter key={`${vote.by} ${vote.at}`} vote={vote} />
          ))}
        </ul>
      )}
    </div>
  )
}

const MARKS: Record<WireVote['verdict'], { icon: IconName; look: string }> = {
  approve: { icon: 'check', look: 'text-gate' },
  deny: { icon: 'cross', look: 'text-stop' },
  request_changes: { icon: 'pencil', look: 'text-care' },
}

function Voter({ vote }: { vote: WireVote }) {
  const now = useNow()
  const { icon, look } = MARKS[vote.verdict]
  return (
    <li className="flex gap-2 text-[0.875rem]">
      <Icon name={icon} className={`mt-0.5 size-4 ${look}`} />
      <span className="min-w-0 break-words">
        {messages.record.vote(vote.by, messages.verdict[vote.verdict])}
        <span className="label block">{voteDetails(vote, now).join(' · ')}</span>
        {vote.comment && (
          <span className="mt-0.5 block border-l-2 border-edge pl-2">
            <SafeInline raw={vote.comment} className="font-sans" />
          </span>
        )}
      </span>
    </li>
  )
}

/** When, how, and what was not looked at. */
function voteDetails(vote: WireVote, now: EpochMs): readonly string[] {
  const text = messages.record
  return [
    formatAge(Date.parse(vote.at), now),
    text.via(text.viaName[vote.via] ?? vote.via),
    ...(vote.on_behalf_of === null ? [] : [text.onBehalfOf(vote.on_behalf_of)]),
    ...(vote.edited ? [text.edited] : []),
    ...(vote.unseen.length > 0 ? [text.unseen(vote.unseen.length)] : []),
  ]
}
