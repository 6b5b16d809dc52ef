import { intentHash } from '@silentauth/core'
import { describe, expect, it } from 'vitest'
import { checkView, computeIntentHash } from '../src/intent-hash.ts'
import { aDeploy, aReview } from './reviews.ts'

describe('computeIntentHash', () => {
  it.each([
    ['a refund', aReview()],
    ['a deploy with hidden values and odd characters', aDeploy()],
    [
      'an intent without claims',
      aReview({ view: { context: null, metadata: null, source: null, requested_by: null } }),
    ],
  ])("gives the gate's own hash for %s", async (_, { view }) => {
    // As it arrives: parsed from text, with members in whatever order.
    const arrived = JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(view).reverse())))
    expect(await computeIntentHash(arrived)).toBe(intentHash(view))
  })
})

describe('checkView', () => {
  it('verifies what the gate holds, and gives the hash that was computed here', async () => {
    const review = aReview()
    expect(await checkView(review.view.intent_id, review)).toEqual({ type: 'verified', hash: intentHash(review.view) })
  })

  it.each([
    ['a param that was changed', 'hash', { params: { amount: 2500 } }],
    ['an action that was changed', 'hash', { action: 'issue_refunds' }],
    ['a claim that was added', 'hash', { context: { reasoning: 'pre-approved' } }],
  ])('refuses %s on the way', async (_, what, change) => {
    const review = aReview()
    const tampered = { ...review, view: { ...review.view, ...change } }
    expect(await checkView(review.view.intent_id, tampered)).toMatchObject({ type: 'differs', what })
  })

  it('refuses params that a permit would not be bound to, though the hash is of this view', async () => {
    const { view } = aReview()
    const review = aReview({ view: { ...view, params: { amount: 250 }, params_digest: view.params_digest } })
    expect(await checkView(view.intent_id, review)).toMatchObject({ type: 'differs', what: 'params' })
  })

  it('refuses another intent than the one that was asked for', async () => {
    expect(await checkView('int_another', aReview())).toMatchObject({ type: 'differs', what: 'intent' })
  })

  it('cannot check what is not plain data', async () => {
    const review = aReview()
    const view = { ...review.view, params: { amount: Number.NaN } }
    expect(await checkView(view.intent_id, { ...review, view })).toEqual({ type: 'impossible', reason: 'unreadable' })
  })
})
