import { describe, expect, it } from 'vitest'
import { AGENT, anAttempt, aScene, KEY, NOW, SECOND } from './a-scene.js'
import { refusalOf } from './refusal-of.js'

const scene = aScene()
const attempt = anAttempt()
const started = scene.started({ idempotent: true, reenters: true }, attempt)
const redeemed = scene.redeem(started).state

describe('redeem', () => {
  it.each([
    ['started', started],
    ['delivered', scene.approved({ delivery: 'token' })],
  ])('E18 marks what is %s as used', (_, state) => {
    const done = scene.redeem(state)
    expect([done.replayed, done.state.redemptions.length, done.events.map(({ type }) => type)]).toEqual([
      false,
      1,
      ['permit.redeemed'],
    ])
  })

  it('E18 gives the same redemption the same answer', () => {
    const again = scene.redeem(redeemed)
    expect([again.replayed, again.state === redeemed, again.events]).toEqual([false, true, []])
  })

  it('E18 refuses every other redemption', () => {
    const refused = refusalOf(() => scene.redeem(redeemed, { redemptionId: 'redemption-2' }))
    expect(refused?.code).toBe('ALREADY_REDEEMED')
  })

  it('E18 refuses a redemption id that another verifier or another permit used', () => {
    expect([
      refusalOf(() => scene.redeem(redeemed, { by: 'key_other' }))?.code,
      refusalOf(() => scene.redeem(redeemed, { permitId: 'pmt_other' }))?.code,
    ]).toEqual(['ALREADY_REDEEMED', 'ALREADY_REDEEMED'])
  })

  it.each([
    ['succeeded', scene.report(started, attempt, 'succeeded').state, NOW],
    ['failed', scene.report(started, attempt, 'failed').state, NOW],
    ['suspended', scene.report(started, attempt, 'suspended').state, NOW],
    ['abandoned', scene.report(started, attempt, 'not_started').state, NOW],
    ['unknown', started, NOW + 900 * SECOND],
    ['withdrawn', scene.withdraw(started, 'usr_ann').state, NOW],
    ['cancelled', scene.cancel(scene.approved({ delivery: 'token' })).state, NOW],
  ])('E18 refuses the permit of what is %s', (_, state, now) => {
    const permitId = state.permits.at(-1)?.id as `pmt_${string}`
    expect(refusalOf(() => scene.redeem(state, { permitId }, now))?.code).toBe('PERMIT_REVOKED')
  })

  it.each([
    ['the last second of its skew', NOW + 304 * SECOND, undefined],
    ['after it', NOW + 305 * SECOND, 'PERMIT_EXPIRED'],
  ])('E18 looks at the expiry once more under the lock, as whoever waited for it must: %s', (_, now, code) => {
    expect(refusalOf(() => scene.redeem(started, {}, now))?.code).toBe(code)
    const delivered = scene.approved({ delivery: 'token' })
    expect(refusalOf(() => scene.redeem(delivered, {}, now))?.code).toBe(code)
  })

  it('E18 gives the same redemption the same answer, also after the permit expired', () => {
    expect(scene.redeem(redeemed, {}, NOW + 400 * SECOND).replayed).toBe(false)
  })

  it('E18 refuses a permit that waits for its leaf (P6)', () => {
    const waiting = started.permits.map((permit) => ({ ...permit, iat: undefined, exp: undefined }))
    expect(refusalOf(() => scene.redeem({ ...started, permits: waiting }))?.code).toBe('PERMIT_REVOKED')
  })

  it('E18 refuses a permit that was never minted', () => {
    expect(refusalOf(() => scene.redeem(started, { permitId: 'pmt_forged' }))?.code).toBe('PERMIT_REVOKED')
  })

  it.each([
    ['paused', { agent: { ...AGENT, status: 'paused' } }, 'AGENT_PAUSED'],
    ['revoked', { agent: { ...AGENT, status: 'revoked' } }, 'AGENT_REVOKED'],
    ['without its key', { key: { ...KEY, status: 'disabled' } }, 'FORBIDDEN'],
  ] as const)('refuses for an agent that is %s', (_, setting, code) => {
    expect(refusalOf(() => scene.with(setting).redeem(started))?.code).toBe(code)
  })
})

describe('once per intent', () => {
  const failed = scene.report(redeemed, attempt, 'failed').state
  const again = scene.claim(failed, anAttempt()).state

  it('P3 a new permit of the same intent is not a second use', () => {
    const refused = refusalOf(() => scene.redeem(again, { redemptionId: 'redemption-2' }))
    expect(refused?.code).toBe('ALREADY_REDEEMED')
  })

  it('P3 a verifier that opted in for an idempotent intent is told that it is a replay (E13)', () => {
    expect(scene.redeem(again, { redemptionId: 'redemption-2', idempotent: true }).replayed).toBe(true)
  })

  it('P3 a verifier that opted in gets no replay of an intent that is not idempotent', () => {
    const plain = scene.redeem(scene.started({}, attempt)).state
    const refused = refusalOf(() => scene.redeem(plain, { redemptionId: 'redemption-2', idempotent: true }))
    expect(refused?.code).toBe('ALREADY_REDEEMED')
  })

  it('P3 each permit is used once, also by a verifier that opted in', () => {
    const refused = refusalOf(() => scene.redeem(redeemed, { redemptionId: 'redemption-2', idempotent: true }))
    expect(refused?.code).toBe('ALREADY_REDEEMED')
  })

  it('P4 the permit of an earlier run is dead', () => {
    const [first] = failed.permits
    const replay = { redemptionId: 'redemption-2', permitId: first?.id as `pmt_${string}`, idempotent: true }
    expect(refusalOf(() => scene.redeem(again, replay))?.code).toBe('ALREADY_REDEEMED')
  })
})
