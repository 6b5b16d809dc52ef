/**
 * A review in the terminal: the same view that the page shows, with the hash computed from what is printed.
 *
 * @module
 */
import { type Digest, type IntentId, intentHash, SilentAuthError } from '@silentauth/core'
import type { WireReview } from '@silentauth/core/wire'
import { type ApproverSession, ask } from './approver-session.js'
import { printable, printableJson } from './printable.js'

/** @throws SilentAuthError `STALE_VIEW` when the gate's own hash is not of the view that it sent */
export async function fetchReview(session: ApproverSession, id: string): Promise<{ review: WireReview; hash: Digest }> {
  if (!/^int_[0-9a-z]+$/.test(id)) throw new TypeError('an intent id looks like int_…')
  const { data } = await ask(session, `/api/inbox/${id}`)
  const review = data as WireReview
  const hash = intentHash(review.view)
  if (review.view.intent_id !== (id as IntentId) || hash !== review.intent_hash) {
    throw new SilentAuthError('STALE_VIEW', 'the gate sent a view that does not fit its hash')
  }
  return { review, hash }
}

export function reviewText(review: WireReview): string {
  const { view, risk, execution } = review
  const approvals = review.votes.filter(({ verdict }) => verdict === 'approve').length
  const claimed = { ...(view.context && { context: view.context }), ...(view.metadata && { metadata: view.metadata }) }
  const lines = [
    `${printable(view.action)}  ${view.intent_id}  ${review.status}`,
    '',
    `  params     ${printableJson(view.params, '             ').trimStart()}`,
    `  agent      ${agentText(review)}`,
    `  risk       ${risk.tier}, score ${risk.score}: ${risk.factors.map(({ name }) => printable(name)).join(', ')}`,
    `  policy     ${review.policy ? `${printable(review.policy.name)} (${printable(review.policy.ref)})` : 'none matched'}`,
    `  votes      ${approvals} of ${view.approvals_required}`,
    ...review.votes.map((vote) => `             ${vote.verdict} by ${voterText(vote)}${commentText(vote.comment)}`),
    `  expires    ${printable(view.expires_at)}`,
    `  execution  ${execution.state}${execution.disputed ? ', disputed' : ''}`,
  ]
  if (view.redacted.length > 0)
    lines.push(`  hidden     ${view.redacted.map(printable).join(', ')}: reveal them on the page`)
  if (review.same_action.length > 0) {
    lines.push(`  careful    the same call may have run before: ${review.same_action.map(printable).join(', ')}`)
  }
  if (Object.keys(claimed).length > 0) {
    lines.push('', '  claimed by the agent, not verified:', `    ${printableJson(claimed, '    ')}`)
  }
  if (review.confirmation !== null) lines.push('', `  to approve: --confirm '${printable(review.confirmation)}'`)
  return lines.join('\n')
}

function agentText({ view, agent, key_name: keyName }: WireReview): string {
  const by = view.requested_by === null ? '' : `, says it asks for ${printable(view.requested_by)}`
  const who = agent
    ? `${printable(agent.name)}, registered, ${agent.status}`
    : `${view.source === null ? 'unnamed' : printable(view.source)}, not registered`
  return `${who}, key ${printable(keyName)}${by}`
}

function voterText({ by, on_behalf_of: onBehalfOf }: WireReview['votes'][number]): string {
  return onBehalfOf === null ? printable(by) : `${printable(by)} on behalf of ${printable(onBehalfOf)}`
}

function commentText(comment: string | null): string {
  return comment === null ? '' : `: ${printable(comment)}`
}
