/**
 * `silentauth inbox`: what waits for a decision, or one intent in full.
 *
 * @module
 */
import type { WireInboxItem } from '@silentauth/core/wire'
import { type ApproverSession, ask, readSession } from './approver-session.js'
import { printable } from './printable.js'
import { fetchReview, reviewText } from './review.js'

export interface InboxOptions {
  readonly all?: boolean
  readonly json?: boolean
}

export async function inbox(intent: string | undefined, { all = false, json = false }: InboxOptions): Promise<number> {
  const session = await readSession()
  if (intent !== undefined) {
    const { review } = await fetchReview(session, intent)
    console.log(json ? JSON.stringify(review) : reviewText(review))
    return 0
  }
  const items = all ? await everything(session) : await listed(session, 'pending')
  if (json) console.log(JSON.stringify(items))
  else if (items.length === 0) console.error('Nothing waits for a decision.')
  else for (const item of items) console.log(lineOf(item))
  return 0
}

const STATUSES = ['pending', 'approved', 'denied', 'changes_requested', 'expired', 'cancelled', 'superseded'] as const

async function everything(session: ApproverSession): Promise<readonly WireInboxItem[]> {
  const lists = await Promise.all(STATUSES.map((status) => listed(session, status)))
  return lists.flat().sort((one, other) => (one.created_at < other.created_at ? 1 : -1))
}

async function listed(session: ApproverSession, status: (typeof STATUSES)[number]): Promise<readonly WireInboxItem[]> {
  const { data } = await ask(session, `/api/inbox?status=${status}&limit=100`)
  return data as readonly WireInboxItem[]
}

function lineOf(item: WireInboxItem): string {
  const votes = `${item.votes}/${item.votes_required}`
  const mine = item.can_vote.ok ? '' : `  (${printable(item.can_vote.reason ?? '')})`
  const source = printable(item.source ?? '-')
  return `${item.id}  ${item.status}  ${item.risk_tier}  ${votes}  ${printable(item.action)}  ${source}${mine}`
}
