import { describe, expect, it } from 'vitest'
import { executionState } from '../src/execution.js'
import { parsePolicy } from '../src/policy-form.js'
import { anAttempt, aScene, HOUR, NOW, SECOND } from './a-scene.js'
import { refusalOf } from './refusal-of.js'

const scene = aScene()
const DEADLINE = NOW + 900 * SECOND

function suspended() {
  const attempt = anAttempt()
  return scene.report(scene.started({ reenters: true }, attempt), attempt, 'suspended').state
}

describe('the clock', () => {
  it.each([
    ['a millisecond before', DEADLINE - 1, 'started'],
    ['at', DEADLINE, 'unknown'],
  ])('E4 %s its deadline it is so', (_, now, state) => {
    expect(scene.tick(scene.started(), now).state.execution.state).toBe(state)
  })

  it('E4 the deadline is the policy’s own', () => {
    const slow = aScene({ policies: [{ decision: 'require_approval', intent: { execution_deadline: 3600 } }] })
    const started = slow.started()
    const states = [DEADLINE, NOW + HOUR].map((now) => slow.tick(started, now).state.execution.state)
    expect(states).toEqual(['started', 'unknown'])
  })

  it.each([
    ['none', scene.approved(), 'abandoned'],
    ['suspended', suspended(), 'unknown'],
  ])('E16 the end of the window finds %s', (_, state, then) => {
    const states = [NOW + HOUR - 1, NOW + HOUR].map((now) => scene.tick(state, now).state.execution.state)
    expect(states).toEqual([state.execution.state, then])
  })

  it('E16 the end of the window does not end what runs', () => {
    const late = NOW + HOUR - SECOND
    const started = scene.claim(scene.approved(), anAttempt(), late).state
    expect(scene.tick(started, NOW + HOUR).state.execution.state).toBe('started')
  })

  it('E16 a delivered token stays delivered', () => {
    expect(scene.tick(scene.approved({ delivery: 'token' }), NOW + HOUR).state.execution.state).toBe('delivered')
  })
})

describe('a cancel by the agent', () => {
  it('E14 abandons what is approved and unclaimed', () => {
    const done = scene.cancel(scene.approved()).state
    expect([done.status, done.execution.state]).toEqual(['approved', 'abandoned'])
  })

  it.each([
    ['started', scene.started(), NOW],
    ['unknown', scene.started(), DEADLINE],
  ])('E14 comes too late for what is %s', (_, state, now) => {
    expect(refusalOf(() => scene.cancel(state, now))?.code).toBe('IN_FLIGHT')
  })

  it('E14 makes what is suspended unknown', () => {
    const done = scene.cancel(suspended()).state
    expect([done.execution.state, scene.claim(done, anAttempt({ continues: 1 })).claim]).toEqual([
      'unknown',
      { type: 'unknown' },
    ])
  })

  it('E14 revokes a delivered token and leaves it delivered, never abandoned', () => {
    const done = scene.cancel(scene.approved({ delivery: 'token' })).state
    expect([done.execution.state, done.permits[0]?.revokedAt]).toEqual(['delivered', NOW])
  })

  it('E14 a delivered token that is cancelled again changes nothing, and writes nothing', () => {
    const done = scene.cancel(scene.approved({ delivery: 'token' })).state
    const again = scene.cancel(done, NOW + SECOND)
    expect([again.state, again.events]).toEqual([done, []])
  })

  it.each(['succeeded', 'failed'] as const)('E14 changes nothing about what %s', (status) => {
    const attempt = anAttempt()
    const done = scene.report(scene.started({}, attempt), attempt, status).state
    expect(refusalOf(() => scene.cancel(done))?.code).toBe('ALREADY_RESOLVED')
  })
})

describe('deadlines of policies', () => {
  it.each([
    [
      'a deadline shorter than the permit’s life and a minute',
      { execution_deadline: 359 },
      '/intent/execution_deadline',
    ],
    ['a window over thirty days', { execution_window: 30 * 86_400 + 1 }, '/intent/execution_window'],
  ])('E21 %s is refused when the policy is stored', (_, intent, field) => {
    const policy = { name: 'p', match: {}, decision: 'require_approval', intent }
    expect(refusalOf(() => parsePolicy(policy))).toMatchObject({ code: 'INVALID_FIELD', field })
  })

  it('E21 a minute more than the permit’s life is enough', () => {
    const policy = { name: 'p', match: {}, decision: 'require_approval', intent: { execution_deadline: 360 } }
    expect(parsePolicy(policy).intent?.executionDeadlineSeconds).toBe(360)
  })
})

it('shows a deadline only while it runs', () => {
  const attempt = anAttempt()
  const started = scene.started({}, attempt)
  const done = scene.report(started, attempt, 'succeeded').state
  expect([executionState(started).deadline, executionState(done).deadline]).toEqual([DEADLINE, undefined])
})
