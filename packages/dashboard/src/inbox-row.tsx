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
        className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-5 gap-y-1 px-4 py-3.5 -outline-offset-3 hover:bg-sunken focus-visible:bg-sunken sm:grid-cols-[6.5rem_minmax(0,1fr)_9rem_8rem] sm:px-5"
      >
        <span className="order-2 justify-self-end sm:order-none sm:justify-self-start">
          <TierBadge tier={item.risk_tier} />
        </span>
        <span className="order-1 min-w-0 sm:order-none">
          <span className="block font-mono font-semibold break-words">
            <SafeInline raw={item.action} />
          </span>
          <span className="label block truncate">
            {item.source === null ? (
              text.noSource
            ) : (
              <>
                {text.source}{' '}
                <span data-untrusted="claim">
                  <SafeInline raw={item.source} />
                </span>
              </>
            )}
            {' · '}
            {text.asked(formatAge(Date.parse(item.created_at), now))}
          </span>
        </span>
        <span className="label order-3 flex items-center gap-2 sm:order-none">
          {pending || item.status === 'approved' ? (
            <>
              <QuorumSteps have={item.votes} need={item.votes_required} />
              {text.votes(item.votes, item.votes_required)}
            </>
          ) : null}
        </span>
        <span className="order-4 justify-self-end text-right text-[0.875rem] font-semibold sm:order-none">
          {pending ? <TimeLeft until={Date.parse(item.expires_at)} /> : <StatusText status={item.status} />}
        </span>
      </Link>
    </li>
  )
}
