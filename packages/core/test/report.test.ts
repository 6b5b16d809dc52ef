import { describe, expect, it } from 'vitest'
import { MAX_CONTINUATIONS } from '../src/report.js'
import type { State } from '../src/state.js'
import { anAttempt, aScene, HOUR, NOW, SECOND } from './a-scene.js'
import { refusalOf } from './refusal-of.js'

const scene = aScene()
const attempt = anAttempt()
const started = scene.started({ reenters: true }, attempt)
const DEADLINE = NOW + 900 * SECOND
const unknown = scene.tick(started, DEADLINE).state
/** A minute after the permit of the claim at noon expired. */
const RECONCILED = NOW + 900 * SECOND

function live(state: State): number {
  return state.permits.filter(({ revokedAt }) => revokedAt === undefined).length
}

describe('suspended', () => {
  it('E5 counts, revokes the permit, and has no deadline', () => {
    const done = scene.report(started, attempt, 'suspended').state
    expect([done.execution.state, done.execution.continuations, live(done), done.execution.deadline]).toEqual([
      'suspended',
      1,
      0,
      undefined,
    ])
  })

  it('E5 twenty times, and not once more', () => {
    let state = started
    let holder = attempt
    for (let count = 1; count <= MAX_CONTINUATIONS; count++) {
      state = scene.report(state, holder, 'suspended').state
      holder = anAttempt({ continues: count })
      state = scene.claim(state, holder).state
    }
    expect([state.execution.continuations, refusalOf(() => scene.report(state, holder, 'suspended'))?.code]).toEqual([
      20,
      'NOT_CLAIMABLE',
    ])
  })

  it('E5 only of a tool that reenters', () => {
    const plain = scene.started({}, attempt)
    const refused = refusalOf(() => scene.report(plain, attempt, 'suspended'))
    expect([refused?.code, refused?.field]).toEqual(['INVALID_FIELD', 'reenters'])
  })

  it('E5 only by its holder', () => {
    expect(refusalOf(() => scene.report(started, anAttempt(), 'suspended'))?.code).toBe('FORBIDDEN')
  })

  it('E5 once more, after a lost answer, changes nothing', () => {
    const once = scene.report(started, attempt, 'suspended').state
    expect(scene.report(once, attempt, 'suspended').state).toBe(once)
  })

  it('E9 never late', () => {
    expect(refusalOf(() => scene.report(unknown, attempt, 'suspended', DEADLINE))?.code).toBe('NOT_CLAIMABLE')
  })
})

describe('final', () => {
  it.each(['succeeded', 'failed'] as const)('E9 %s ends it, and revokes the permit', (status) => {
    const done = scene.report(started, attempt, status).state
    expect([done.execution.state, done.execution.reportedBy, live(done)]).toEqual([status, 'agent', 0])
  })

  it.each(['succeeded', 'failed'] as const)('E9 %s may come late', (status) => {
    expect(scene.report(unknown, attempt, status, DEADLINE + HOUR).state.execution.state).toBe(status)
  })

  it('E9 is its holder’s alone', () => {
    const others = [anAttempt(), { ...attempt, executionId: 'execution-2' }]
    expect(others.map((other) => refusalOf(() => scene.report(started, other, 'succeeded'))?.code)).toEqual([
      'FORBIDDEN',
      'FORBIDDEN',
    ])
  })

  it('E9 holds for the attempt that was granted last', () => {
    const suspended = scene.report(started, attempt, 'suspended').state
    const continued = scene.claim(suspended, anAttempt({ continues: 1 })).state
    expect(refusalOf(() => scene.report(continued, attempt, 'succeeded'))?.code).toBe('FORBIDDEN')
  })

  it('E9 once more changes nothing; another one is refused', () => {
    const done = scene.report(started, attempt, 'succeeded').state
    expect([
      scene.report(done, attempt, 'succeeded').state === done,
      refusalOf(() => scene.report(done, attempt, 'failed'))?.code,
    ]).toEqual([true, 'ALREADY_RESOLVED'])
  })

  it('E9 after a person’s finding it is kept, and disputed where it contradicts', () => {
    const found = scene.reconcile(unknown, 'usr_ann', 'did_not_happen', RECONCILED).state
    const { execution } = scene.report(found, attempt, 'succeeded', RECONCILED).state
    expect(execution).toMatchObject({
      state: 'failed',
      reportedBy: 'person',
      disputed: true,
      reports: { person: 'failed', agent: 'succeeded' },
    })
  })

  it('E9 after the same finding nothing is disputed', () => {
    const found = scene.reconcile(unknown, 'usr_ann', 'happened', RECONCILED).state
    expect(scene.report(found, attempt, 'succeeded', RECONCILED).state.execution.disputed).toBe(false)
  })

  it('is refused for what nobody claimed', () => {
    expect(refusalOf(() => scene.report(scene.declare(), attempt, 'succeeded'))?.code).toBe('NOT_APPROVED')
    expect(refusalOf(() => scene.report(scene.approved(), attempt, 'succeeded'))?.code).toBe('FORBIDDEN')
  })
})

describe('not started', () => {
  it('E10 abandons it, and revokes the permit', () => {
    const done = scene.report(started, attempt, 'not_started').state
    expect([done.execution.state, live(done), scene.claim(done, anAttempt()).claim]).toEqual([
      'abandoned',
      0,
      { type: 'closed', reason: 'abandoned' },
    ])
  })

  it('E10 is refused once a backend has used the approval', () => {
    expect(refusalOf(() => scene.report(scene.redeem(started).state, attempt, 'not_started'))?.code).toBe(
      'ALREADY_REDEEMED',
    )
  })

  it('E10 is refused late, and by another attempt', () => {
    expect([
      refusalOf(() => scene.report(unknown, attempt, 'not_started', DEADLINE))?.code,
      refusalOf(() => scene.report(started, anAttempt(), 'not_started'))?.code,
    ]).toEqual(['NOT_CLAIMABLE', 'FORBIDDEN'])
  })

  it('E10 of a continuation says nothing about what ran before it: unknown, and the permit revoked', () => {
    const again = anAttempt({ continues: 1 })
    const continued = scene.claim(scene.report(started, attempt, 'suspended').state, again).state
    const done = scene.report(continued, again, 'not_started').state
    expect([done.execution.state, live(done)]).toEqual(['unknown', 0])
  })
})

describe('the verifier', () => {
  it.each([
    ['succeeded', 'failed'],
    ['failed', 'succeeded'],
  ] as const)('E19 outranks an agent that said %s, and both are kept', (agent, verifier) => {
    const said = scene.report(started, attempt, agent).state
    const done = scene.log(said, 'verifier', verifier)
    expect(done.state.execution).toMatchObject({
      state: verifier,
      reportedBy: 'verifier',
      disputed: true,
      reports: { agent, verifier },
    })
    expect(done.events.map(({ type }) => type)).toEqual(['execution.reported', 'execution.disputed'])
  })

  it('E19 outranks what the agent says afterwards', () => {
    const said = scene.log(started, 'verifier', 'failed').state
    expect(scene.report(said, attempt, 'succeeded').state.execution).toMatchObject({ state: 'failed', disputed: true })
  })

  it('E19 outranks a person', () => {
    const found = scene.reconcile(unknown, 'usr_ann', 'happened', RECONCILED).state
    expect(scene.log(found, 'verifier', 'failed', RECONCILED).state.execution).toMatchObject({
      state: 'failed',
      reportedBy: 'verifier',
      disputed: true,
    })
  })

  it('E19 contradicts an agent that gave the grant back', () => {
    const abandoned = scene.report(started, attempt, 'not_started').state
    expect(scene.log(abandoned, 'verifier', 'succeeded').state.execution).toMatchObject({
      state: 'succeeded',
      disputed: true,
    })
  })

  it('E19 says the same again without effect, and nothing else again', () => {
    const said = scene.log(started, 'verifier', 'succeeded').state
    expect([
      scene.log(said, 'verifier', 'succeeded').state === said,
      refusalOf(() => scene.log(said, 'verifier', 'failed'))?.code,
    ]).toEqual([true, 'ALREADY_RESOLVED'])
  })

  it('E19 agreement is no dispute', () => {
    const said = scene.report(started, attempt, 'succeeded').state
    expect(scene.log(said, 'verifier', 'succeeded').state.execution.disputed).toBe(false)
  })
})

describe('by permit id', () => {
  it.each(['succeeded', 'failed'] as const)('the agent of a token delivery reports %s', (status) => {
    const done = scene.log(scene.approved({ delivery: 'token' }), 'agent', status).state
    expect([done.execution.state, live(done)]).toEqual([status, 0])
  })

  it('an agent cannot report what is suspended', () => {
    const suspended = scene.report(started, attempt, 'suspended').state
    expect(refusalOf(() => scene.log(suspended, 'agent', 'succeeded'))?.code).toBe('NOT_CLAIMABLE')
  })
})
