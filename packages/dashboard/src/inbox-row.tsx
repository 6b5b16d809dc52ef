/**
 * One intent in the inbox: enough to know what it is and whether it can wait.
 *
 * @module
 */
import type { WireInboxItem } from '@silentauth/core/wire'
import { Link } from 'wouter'
import { TimeLeft } from './countdown.js'
import { formatAge } from './format.js'
import { messages } from './messages.js'
import { QuorumSteps } from './quorum.js'
import { SafeInline } from './safe-value.js'
import { useNow } from './services.js'
import { StatusText, TierBadge } from './tier.js'

export function InboxRow({ item }: { item: WireInboxItem }) {
  const now = useNow()
  const text = messages.inbox
  const pending = item.status === 'pending'
  return (
    <li>
      <Link
        href={`/inbox/${item.id}`}
        data-row={item.id}
        className="inbox-row px-4 py-3.5 -outline-offset-3 hover:bg-sunken focus-visible:bg-sunken sm:px-5"
      >
        <span className="min-w-0 font-mono font-semibold break-words [grid-area:action]">
          <SafeInline raw={item.action} />
        </span>
        <span className="justify-self-end [grid-area:tier] md:justify-self-start">
          <TierBadge tier={item.risk_tier} />
        </span>
        <span className="label min-w-0 break-words [grid-area:meta]">
          <Source source={item.source} />
          {' · '}
          {text.asked(formatAge(Date.parse(item.created_at), now))}
          {pending && !item.can_vote.ok && ` · ${text.whyNot[item.can_vote.code ?? ''] ?? item.can_vote.reason ?? ''}`}
        </span>
        <span className="label flex items-center gap-2 [grid-area:votes]">
          {(pending || item.status === 'approved') && item.votes_required > 0 && (
            <>
              <QuorumSteps have={item.votes} need={item.votes_required} />
              {text.votes(item.votes, item.votes_required)}
            </>
          )}
        </span>
        <span className="justify-self-end text-right text-[0.875rem] font-semibold [grid-area:left]">
          {pending ? <TimeLeft until={Date.parse(item.expires_at)} /> : <StatusText status={item.status} />}
        </span>
      </Link>
    </li>
  )
}

/** What the caller named as its source: a claim, here too. */
function Source({ source }: { source: string | null }) {
  const text = messages.inbox
  if (source === null) return text.noSource
  return (
    <>
      {text.source}{' '}
      <span data-untrusted="claim">
        <SafeInline raw={source} />
      </span>
    </>
  )
}
