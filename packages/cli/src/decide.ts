/**
 * `silentauth approve` and `silentauth deny`: one vote, after the whole review was printed.
 *
 * @module
 */
import type { WireReview } from '@silentauth/core/wire'
import { agreed } from './agreement.js'
import { ask, readSession } from './approver-session.js'
import { printable } from './printable.js'
import { fetchReview, reviewText } from './review.js'

export interface DecideOptions {
  readonly comment?: string
  readonly confirm?: string
  readonly yes?: boolean
}

export async function decide(verdict: 'approve' | 'deny', id: string, options: DecideOptions): Promise<number> {
  const session = await readSession()
  const { review, hash } = await fetchReview(session, id)
  console.error(reviewText(review))
  if (!(await agreed(`\n${verdict} ${printable(review.view.action)}?`, options))) {
    console.error('Nothing was decided.')
    return 0
  }
  const { data } = await ask(session, `/api/inbox/${id}/${verdict}`, {
    intent_hash: hash,
    ...(options.comment !== undefined && { comment: options.comment }),
    ...(options.confirm !== undefined && { confirm: options.confirm }),
  })
  const { status, votes, view } = data as WireReview
  const approvals = votes.filter((vote) => vote.verdict === 'approve').length
  console.error(
    status === 'pending' ? `Your vote counts: ${approvals} of ${view.approvals_required}.` : `Now ${status}.`,
  )
  console.log(status)
  return 0
}
