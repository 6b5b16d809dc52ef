import { describe, expect, it } from 'vitest'
import {
  mayLiftDenial,
  mayReconcile,
  mayWithdraw,
  obstacleToApprove,
  obstacleToRefuse,
  unseenValues,
} from '../src/may-decide.ts'
import { aDeploy, aReview, type ReviewChanges } from './reviews.ts'

const verified = { type: 'verified', hash: `sha-256:${'A'.repeat(43)}` } as const
const screen = (changes: ReviewChanges = {}, more: object = {}) => ({
  review: aReview(changes),
  check: verified,
  unopened: 0,
  now: Date.now(),
  ...more,
})

describe('a review that may be decided', () => {
  it('has no obstacle', () => {
    expect([obstacleToApprove(screen()), obstacleToRefuse(screen())]).toEqual([undefined, undefined])
  })
})

describe('both approving and refusing', () => {
  it.each([
    ['settled', screen({ status: 'approved' })],
    ['expired', screen({ expiresInMinutes: -1 })],
    [
      'unverified',
      screen({}, { check: { type: 'differs', what: 'hash', computed: 'sha-256:x', claimed: 'sha-256:y' } }),
    ],
    ['unverified', screen({}, { check: { type: 'impossible', reason: 'insecure' } })],
    [
      'cannot_vote',
      screen({ can_vote: { ok: false, code: 'SELF_APPROVAL', reason: 'asked for it', on_behalf_of: null } }),
    ],
  ])('are stopped: %s', (type, shown) => {
    expect([obstacleToApprove(shown)?.type, obstacleToRefuse(shown)?.type]).toEqual([type, type])
  })
})

describe('approving alone', () => {
  it.each(['paused', 'revoked'])('is stopped for an agent that is %s', (status) => {
    const shown = screen({ agent: { id: 'agt_1', name: 'Refund agent', status, owner: null } })
    expect([obstacleToApprove(shown)?.type, obstacleToRefuse(shown)]).toEqual(['agent_stopped', undefined])
  })

  it.each(['high', 'critical'] as const)('is stopped for %s while parts were never shown', (risk_tier) => {
    const shown = screen({ view: { risk_tier } }, { unopened: 2 })
    expect([obstacleToApprove(shown), obstacleToRefuse(shown)]).toEqual([{ type: 'folded', count: 2 }, undefined])
  })

  it.each(['low', 'medium'] as const)('is not stopped for %s by folded parts', (risk_tier) => {
    expect(obstacleToApprove(screen({ view: { risk_tier } }, { unopened: 2 }))).toBeUndefined()
  })
})

describe('unseenValues', () => {
  it('names hidden values that neither this person nor an approver has seen', () => {
    expect(unseenValues(aDeploy())).toEqual(['/database_password', '/environment/STRIPE_KEY'])
  })

  it('counts what this person revealed', () => {
    const review = aDeploy({ revealed: [{ pointer: '/database_password', value: 'x' }] })
    expect(unseenValues(review)).toEqual(['/environment/STRIPE_KEY'])
  })

  it('counts what an approver revealed, and not what one who denied did', () => {
    const [vote] = aDeploy().votes
    if (!vote) throw new TypeError('the deploy has a vote')
    const votes = [
      { ...vote, revealed: ['/database_password'] },
      { ...vote, verdict: 'deny' as const, revealed: ['/environment/STRIPE_KEY'] },
    ]
    expect(unseenValues(aDeploy({ votes }))).toEqual(['/environment/STRIPE_KEY'])
  })
})

describe('after the decision', () => {
  const execution = { continuations: 0, deadline: null, reported_by: null, disputed: false }
  it.each([
    ['none', true, false],
    ['started', true, false],
    ['suspended', true, false],
    ['delivered', true, false],
    ['unknown', true, true],
    ['succeeded', false, false],
    ['failed', false, false],
    ['abandoned', false, false],
  ] as const)('an approval whose execution is %s: withdraw %s, reconcile %s', (state, withdraw, reconcile) => {
    const review = aReview({ status: 'approved', execution: { ...execution, state } })
    expect([mayWithdraw(review), mayReconcile(review)]).toEqual([withdraw, reconcile])
  })

  it.each([
    ['by whom could have approved it', { ok: true, code: null, reason: null, on_behalf_of: null }, 1, true],
    ['not by whom asked for it', { ok: false, code: 'SELF_APPROVAL', reason: 'asked', on_behalf_of: null }, 1, false],
    ['not once it is forgotten', { ok: true, code: null, reason: null, on_behalf_of: null }, -1, false],
  ])('a denial can be lifted %s', (_, can_lift, minutesLeft, may) => {
    const now = 1_800_000_000_000
    const remembered_until = new Date(now + minutesLeft * 60_000).toISOString()
    const review = aReview({ status: 'denied', denial: { intent_id: 'int_1', remembered_until, can_lift } })
    expect(mayLiftDenial(review, now)).toBe(may)
  })

  it('a denied intent can be neither withdrawn nor reconciled', () => {
    const review = aReview({ status: 'denied', execution: { ...execution, state: 'unknown' } })
    expect([mayWithdraw(review), mayReconcile(review)]).toEqual([false, false])
  })
})
