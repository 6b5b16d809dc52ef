import { describe, expect, it } from 'vitest'
import type { State } from '../src/state.js'
import { anAttempt, aPerson, aScene, NOW, peopleWith, SECOND } from './a-scene.js'
import { refusalOf } from './refusal-of.js'

const scene = aScene()
const attempt = anAttempt()
const started = scene.started({ reenters: true }, attempt)
const suspended = scene.report(started, attempt, 'suspended').state
const DEADLINE = NOW + 900 * SECOND
const unknown = scene.tick(started, DEADLINE).state
const AUTO = { decision: 'auto_approve', any_params: true }

function live(state: State): number {
  return state.permits.filter(({ revokedAt }) => revokedAt === undefined).length
}

describe('withdraw', () => {
  it('E15 abandons what is unclaimed', () => {
    expect(scene.withdraw(scene.approved(), 'usr_bob').state.execution.state).toBe('abandoned')
  })

  it.each([
    ['started', started, NOW],
    ['suspended', suspended, NOW],
    ['unknown', unknown, DEADLINE],
    ['delivered', scene.approved({ delivery: 'token' }), NOW],
  ])('E15 revokes the permits of what is %s, and leaves it so', (name, state, now) => {
    const done = scene.withdraw(state, 'usr_bob', now).state
    expect([done.execution.state, live(done)]).toEqual([name, 0])
  })

  it('E15 refuses the continuation', () => {
    const done = scene.withdraw(suspended, 'usr_bob').state
    expect(scene.claim(done, anAttempt({ continues: 1 })).claim).toEqual({ type: 'closed', reason: 'abandoned' })
  })

  it.each([
    ['usr_bob', 'a person who may vote'],
    ['usr_dan', 'an admin'],
  ] as const)('E15 is for %s, %s', (by, _) => {
    expect(scene.withdraw(scene.approved(), by).state.execution.state).toBe('abandoned')
  })

  it('E15 is for an admin who may not vote, since it only stops', () => {
    const own = aScene({ people: peopleWith('eve', { roles: ['admin'] }) })
    expect(own.withdraw(own.approved(), 'usr_eve').state.execution.state).toBe('abandoned')
  })

  it('E15 is for those who could have voted on what a policy approved', () => {
    const auto = aScene({ policies: [AUTO] })
    expect(auto.withdraw(auto.approved(), 'usr_bob').state.execution.state).toBe('abandoned')
  })

  it.each([
    ['usr_eve', 'SELF_APPROVAL'],
    ['usr_gus', 'NOT_AN_APPROVER'],
    ['usr_zed', 'NOT_AN_APPROVER'],
  ] as const)('E15 is not for %s', (by, code) => {
    expect(refusalOf(() => scene.withdraw(scene.approved(), by))?.code).toBe(code)
  })

  it('E15 is not for a disabled admin', () => {
    const state = scene.approved()
    const own = scene.with({ people: peopleWith('dan', { roles: ['admin'], status: 'disabled' }) })
    expect(refusalOf(() => own.withdraw(state, 'usr_dan'))?.code).toBe('NOT_AN_APPROVER')
  })

  it.each(['succeeded', 'failed'] as const)('E15 comes too late for what %s', (status) => {
    const done = scene.report(started, attempt, status).state
    expect(refusalOf(() => scene.withdraw(done, 'usr_bob'))?.code).toBe('ALREADY_RESOLVED')
  })

  it('E15 takes back what failed and could run again (E13), which then does not', () => {
    const draft = { idempotent: true }
    const first = anAttempt()
    const failed = scene.report(scene.started(draft, first), first, 'failed').state
    const again = anAttempt({ executionId: first.executionId, attemptId: 'another' })
    expect(scene.claim(failed, again).claim?.type).toBe('granted')
    const done = scene.withdraw(failed, 'usr_bob').state
    expect([done.execution.state, live(done), scene.claim(done, again).claim]).toEqual([
      'failed',
      0,
      { type: 'recorded', status: 'failed' },
    ])
    const late = (failed.useUntil ?? 0) + SECOND
    expect(refusalOf(() => scene.withdraw(failed, 'usr_bob', late))?.code).toBe('ALREADY_RESOLVED')
  })

  it('is for approvals only', () => {
    expect(refusalOf(() => scene.withdraw(scene.declare(), 'usr_bob'))?.code).toBe('NOT_APPROVED')
  })
})

describe('reconcile', () => {
  it.each([
    ['happened', 'succeeded'],
    ['did_not_happen', 'failed'],
  ] as const)('E17 %s: %s', (finding, state) => {
    const { execution } = scene.reconcile(unknown, 'usr_bob', finding, DEADLINE).state
    expect(execution).toMatchObject({ state, reportedBy: 'person', disputed: false })
  })

  it.each([
    [359, 'IN_FLIGHT'],
    [360, undefined],
  ])('E17 %i s after the permit was minted, which lives for 300: %s', (after, code) => {
    // A permit that outlives its execution: cancelled while suspended, the last grant a moment ago.
    const cancelled = scene.cancel(suspended).state
    expect(refusalOf(() => scene.reconcile(cancelled, 'usr_bob', 'happened', NOW + after * SECOND))?.code).toBe(code)
  })

  it.each([
    ['none', scene.approved(), NOW, 'IN_FLIGHT'],
    ['started', started, NOW, 'IN_FLIGHT'],
    ['suspended', suspended, NOW, 'IN_FLIGHT'],
    ['delivered', scene.approved({ delivery: 'token' }), NOW, 'IN_FLIGHT'],
    ['succeeded', scene.report(started, attempt, 'succeeded').state, NOW, 'ALREADY_RESOLVED'],
    ['abandoned', scene.cancel(scene.approved()).state, NOW, 'ALREADY_RESOLVED'],
    ['pending', scene.declare(), NOW, 'NOT_APPROVED'],
  ])('E17 is not for what is %s', (_, state, now, code) => {
    expect(refusalOf(() => scene.reconcile(state, 'usr_bob', 'happened', now))?.code).toBe(code)
  })

  it('E17 is not for an admin who asked for it: they could have it run again', () => {
    const own = aScene({ people: peopleWith('eve', { roles: ['owner', 'admin'] }) })
    const state = own.tick(own.started(), DEADLINE).state
    expect(refusalOf(() => own.reconcile(state, 'usr_eve', 'did_not_happen', DEADLINE))?.code).toBe('SELF_APPROVAL')
  })

  it('E17 is for those who could have voted on what a policy approved', () => {
    const auto = aScene({ policies: [AUTO], people: [aPerson('bob')] })
    const state = auto.tick(auto.started(), DEADLINE).state
    expect(auto.reconcile(state, 'usr_bob', 'happened', DEADLINE).state.execution.state).toBe('succeeded')
  })
})
