import { expect, it } from 'vitest'
import { policyRef, policyTerms } from '../src/policy.js'

it('has the documented terms where no policy matched', () => {
  expect(policyTerms(undefined)).toEqual({
    expiresInSeconds: 3600,
    executionWindowSeconds: 3600,
    executionDeadlineSeconds: 900,
    permitTtlSeconds: 300,
    audience: undefined,
    proofOfPossession: false,
  })
})

it('takes the terms that a policy states', () => {
  const permit = { ttlSeconds: 60, audience: 'urn:payments:prod' }
  expect(policyTerms({ permit, intent: { executionWindowSeconds: 7200 } })).toMatchObject({
    executionWindowSeconds: 7200,
    executionDeadlineSeconds: 900,
    permitTtlSeconds: 60,
    audience: 'urn:payments:prod',
  })
})

it('is named with its version', () => {
  expect(policyRef({ id: 'pol_1', version: 7 })).toBe('pol_1@7')
})
