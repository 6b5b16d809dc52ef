import { describe, expect, it } from 'vitest'
import { MAX_RUNS_AGAIN } from '../src/claim.js'
import type { State } from '../src/state.js'
import { AGENT, anAttempt, aScene, HOUR, KEY, NOW, peopleWith, SECOND } from './a-scene.js'
import { refusalOf } from './refusal-of.js'

const scene = aScene()
const DEADLINE = NOW + 900 * SECOND
const TWO_PEOPLE = { decision: 'require_approval', approval: { approvers_required: 2 } }
const AUTO = { decision: 'auto_approve', any_params: true }

/** Suspended once, with the attempt that suspended it. */
function suspended(own = scene, draft = {}): { state: State; attempt: ReturnType<typeof anAttempt> } {
  const attempt = anAttempt()
  const state = own.report(own.started({ reenters: true, ...draft }, attempt), attempt, 'suspended').state
  return { state, attempt }
}

describe('the first claim', () => {
  it('E1 begins the execution, with a permit and a deadline', () => {
    const attempt = anAttempt()
    const done = scene.claim(scene.approved(), attempt)
    expect(done.claim).toEqual({ type: 'granted', permit: done.state.permits[0] })
    expect(done.state.execution).toMatchObject({
      state: 'started',
      holder: attempt,
      startedAt: NOW,
      deadline: DEADLINE,
    })
  })

  it('E1 needs an approval', () => {
    const denied = scene.vote(scene.declare(), 'usr_ann', { verdict: 'deny' }).state
    const expired = scene.tick(scene.declare(), NOW + HOUR).state
    const codes = [scene.declare(), denied, expired].map((state) => refusalOf(() => scene.claim(state))?.code)
    expect(codes).toEqual(['NOT_APPROVED', 'NOT_APPROVED', 'INTENT_EXPIRED'])
  })

  it('E1 is not for a token delivery', () => {
    expect(refusalOf(() => scene.claim(scene.approved({ delivery: 'token' })))?.code).toBe('NOT_CLAIMABLE')
  })

  it.each([
    ['in its last millisecond', HOUR - 1, 'granted'],
    ['when it ends', HOUR, 'closed'],
  ])('E1 counts %s the window as it is', (_, after, type) => {
    expect(scene.claim(scene.approved(), anAttempt(), NOW + after).claim?.type).toBe(type)
  })
})

describe('while it runs', () => {
  const attempt = anAttempt()
  const started = scene.started({}, attempt)

  it('E2 the same attempt gets the same permit again, with the same times', () => {
    expect(scene.claim(started, attempt, NOW + 100 * SECOND)).toMatchObject({
      claim: { type: 'granted', permit: started.permits[0] },
      events: [],
      state: started,
    })
  })

  it.each([
    ['expired', started, NOW + 300 * SECOND],
    ['was redeemed', scene.redeem(started).state, NOW],
    ['was revoked', scene.withdraw(started, 'usr_ann').state, NOW],
  ])('E2 its permit is spent once it %s', (_, state, now) => {
    expect(scene.claim(state, attempt, now).claim).toEqual({ type: 'closed', reason: 'permit_spent' })
  })

  it.each([
    ['another attempt', anAttempt()],
    ['another execution with the same attempt id', { ...attempt, executionId: 'execution-2' }],
  ])('E3 %s is told that it runs', (_, other) => {
    expect(scene.claim(started, other, NOW + SECOND).claim).toEqual({ type: 'running', since: NOW, deadline: DEADLINE })
  })

  it('E20 past the deadline even its holder finds it unknown', () => {
    expect(scene.claim(started, attempt, DEADLINE).claim).toEqual({ type: 'unknown' })
  })

  it('E20 a finished execution is recorded, for its holder too', () => {
    const done = scene.report(started, attempt, 'succeeded').state
    expect(scene.claim(done, attempt).claim).toEqual({ type: 'recorded', status: 'succeeded' })
  })
})

describe('a continuation', () => {
  it('E6 has a new permit and a new deadline', () => {
    const { state } = suspended()
    const done = scene.claim(state, anAttempt({ continues: 1 }), NOW + SECOND)
    expect(done.claim?.type).toBe('granted')
    expect(done.state.execution).toMatchObject({ state: 'started', deadline: DEADLINE + SECOND, continuations: 1 })
    expect(new Set(done.state.permits.map(({ id }) => id)).size).toBe(2)
  })

  it('E6 does not move use_until', () => {
    const { state } = suspended()
    const now = NOW + HOUR - 10 * SECOND
    const done = scene.claim(state, anAttempt({ continues: 1 }), now)
    expect([done.state.useUntil, done.state.permits.at(-1)?.exp]).toEqual([NOW + HOUR, (NOW + HOUR) / 1000])
  })

  it('E6 is not for an approval that a backend has used', () => {
    const attempt = anAttempt()
    const redeemed = scene.redeem(scene.started({ reenters: true }, attempt)).state
    const state = scene.report(redeemed, attempt, 'suspended').state
    expect(scene.claim(state, anAttempt({ continues: 1 })).claim).toEqual({ type: 'closed', reason: 'permit_spent' })
  })

  it.each([
    ['another execution', { executionId: 'execution-2', continues: 1 }],
    ['too few suspensions', { continues: 0 }],
    ['too many suspensions', { continues: 2 }],
    ['no number of suspensions', {}],
  ])('E7 with %s is suspended elsewhere', (_, details) => {
    const { state } = suspended()
    expect(scene.claim(state, anAttempt(details)).claim).toEqual({ type: 'closed', reason: 'suspended_elsewhere' })
  })

  it('E7 by the very attempt that suspended it is none', () => {
    const { state, attempt } = suspended()
    const repeated = scene.claim(state, { ...attempt, continues: 1 })
    expect(repeated.claim).toEqual({ type: 'closed', reason: 'suspended_elsewhere' })
  })

  it('E7 of a tool that does not reenter is closed', () => {
    const { state } = suspended()
    const other: State = { ...state, declaration: { ...state.declaration, reenters: false } }
    expect(scene.claim(other, anAttempt({ continues: 1 })).claim).toEqual({ type: 'closed', reason: 'not_reentrant' })
  })

  it('E7 after the window is closed, whoever noticed first that it ended', () => {
    const { state } = suspended()
    const attempt = anAttempt({ continues: 1 })
    const swept = scene.tick(state, NOW + HOUR).state
    const claims = [state, swept].map((one) => scene.claim(one, attempt, NOW + HOUR).claim)
    expect(claims).toEqual([
      { type: 'closed', reason: 'window' },
      { type: 'closed', reason: 'window' },
    ])
  })
})

describe('judged again', () => {
  const approved = scene.approved()

  it.each([
    ['a policy that wants two people', { policies: [TWO_PEOPLE] }],
    ['a policy that denies', { policies: [{ decision: 'auto_deny' }] }],
    ['a policy that names other approvers', { policies: [policyFor('bob@example.com')] }],
    ['a voter who was disabled', { people: peopleWith('ann', { status: 'disabled' }) }],
    ['a voter who lost the role', { people: peopleWith('ann', { roles: [] }) }],
    ['a voter who is linked to the owner now', { people: peopleWith('ann', { linked: ['usr_eve'] }) }],
    ['a voter who owns the agent now', { agent: { ...AGENT, owner: 'usr_ann' } }],
    ['a tier that was raised, so that the confirmation is missing', { project: { actionTiers: { '*': 'critical' } } }],
    ['an agent whose tier was raised', { agent: { ...AGENT, enforce: true, riskSensitivity: 'critical' } }],
  ] as const)('E8 %s abandons what was not claimed, and says so', (_, setting) => {
    const done = scene.with(setting).claim(approved)
    expect([done.refusal?.code, done.state.execution.state, done.claim]).toEqual([
      'POLICY_CHANGED',
      'abandoned',
      undefined,
    ])
  })

  it('E8 a policy that became laxer still needs the votes of the pinned one', () => {
    const two = aScene({ policies: [TWO_PEOPLE] })
    const state = two.vote(two.vote(two.declare(), 'usr_ann').state, 'usr_bob').state
    const laxer = two.with({ policies: [AUTO], people: peopleWith('bob', { status: 'disabled' }) })
    expect(laxer.claim(state).refusal?.code).toBe('POLICY_CHANGED')
  })

  it('E8 what a policy approved needs votes once the policy wants people', () => {
    const state = aScene({ policies: [AUTO] }).approved()
    expect(scene.claim(state).refusal?.code).toBe('POLICY_CHANGED')
  })

  it('E8 what a policy approved is granted while a policy still approves it', () => {
    const auto = aScene({ policies: [AUTO] })
    expect(auto.claim(auto.approved()).claim?.type).toBe('granted')
  })

  it('E8 nobody who saw the hidden value counts any more', () => {
    const two = aScene({ policies: [TWO_PEOPLE] })
    const declared = two.declare({ riskTier: 'high', params: { password: 'open sesame' } })
    const seen = two.reveal(declared, 'usr_ann', '/password').state
    const state = ['usr_ann', 'usr_bob'].reduce((one, by) => two.vote(one, by as `usr_${string}`).state, seen)
    expect(two.claim(state).claim?.type).toBe('granted')
    const looked = { ...state, votes: state.votes.map((vote) => ({ ...vote, unseen: ['/password' as const] })) }
    expect(two.claim(looked).refusal?.code).toBe('POLICY_CHANGED')
  })

  it('E8 a continuation that no longer satisfies policy is unknown', () => {
    const { state } = suspended()
    const done = scene.with({ policies: [TWO_PEOPLE] }).claim(state, anAttempt({ continues: 1 }))
    expect([done.refusal?.code, done.state.execution.state]).toEqual(['POLICY_CHANGED', 'unknown'])
  })

  it('E8 a repeated hand-out is refused, and nothing changes', () => {
    const attempt = anAttempt()
    const started = scene.started({}, attempt)
    const refused = refusalOf(() => scene.with({ policies: [TWO_PEOPLE] }).claim(started, attempt))
    expect(refused?.code).toBe('POLICY_CHANGED')
  })

  it.each([
    ['an agent is paused', { agent: { ...AGENT, status: 'paused' } }, 'AGENT_PAUSED'],
    ['an agent is revoked', { agent: { ...AGENT, status: 'revoked' } }, 'AGENT_REVOKED'],
    ['its key is disabled', { key: { ...KEY, status: 'disabled' } }, 'FORBIDDEN'],
    ['its key is gone', { key: undefined }, 'FORBIDDEN'],
    ['the hour is blocked', { policies: [blocked()] }, 'TIME_RESTRICTED'],
  ] as const)('E8 while %s nothing is granted and nothing changes', (_, setting, code) => {
    const refused = refusalOf(() => scene.with(setting).claim(approved))
    expect([refused?.code, scene.claim(approved).claim?.type]).toEqual([code, 'granted'])
  })

  it('E8 the shorter life of a permit holds', () => {
    const shorter = scene.with({ policies: [{ decision: 'require_approval', permit: { ttl_seconds: 60 } }] })
    const longer = scene.with({
      policies: [{ decision: 'require_approval', permit: { ttl_seconds: 600 }, intent: { execution_deadline: 900 } }],
    })
    const lives = [shorter, longer].map((own) => own.claim(approved).state.permits[0]?.exp)
    expect(lives).toEqual([NOW / 1000 + 60, NOW / 1000 + 300])
  })

  it('E8 audience and window stay those that were pinned', () => {
    const other = scene.with({
      policies: [{ decision: 'require_approval', permit: { audience: 'urn:other' }, intent: { execution_window: 60 } }],
    })
    const done = other.claim(approved)
    expect([done.state.declaration.audience, done.state.useUntil]).toEqual([
      approved.declaration.audience,
      approved.useUntil,
    ])
  })
})

describe('afterwards', () => {
  it.each(['succeeded', 'failed'] as const)('E11 what %s is recorded, and not granted', (status) => {
    const attempt = anAttempt()
    const done = scene.report(scene.started({}, attempt), attempt, status).state
    expect(scene.claim(done, anAttempt())).toMatchObject({ claim: { type: 'recorded', status }, permits: [] })
  })

  it('E11 what succeeded is recorded for an idempotent intent too', () => {
    const attempt = anAttempt()
    const done = scene.report(scene.started({ idempotent: true }, attempt), attempt, 'succeeded').state
    expect(scene.claim(done, anAttempt()).claim?.type).toBe('recorded')
  })

  it('E12 what is unknown stays unknown', () => {
    const unknown = scene.tick(scene.started(), DEADLINE).state
    expect(scene.claim(unknown, anAttempt(), DEADLINE).claim).toEqual({ type: 'unknown' })
  })
})

describe('an idempotent intent', () => {
  const attempt = anAttempt()
  const started = scene.started({ idempotent: true }, attempt)
  const failed = scene.report(started, attempt, 'failed').state
  const unknown = scene.tick(started, DEADLINE).state

  it.each([
    ['failed', failed, NOW + SECOND],
    ['is unknown', unknown, DEADLINE],
    ['failed after a redemption', scene.report(scene.redeem(started).state, attempt, 'failed').state, NOW + SECOND],
  ])('E13 that %s is granted again to the same execution', (_, state, now) => {
    const done = scene.claim(state, anAttempt(), now)
    expect([done.claim?.type, done.state.execution.state, done.state.execution.grants]).toEqual([
      'granted',
      'started',
      2,
    ])
  })

  it.each([
    ['another execution', failed, anAttempt({ executionId: 'execution-2' }), NOW, 'recorded'],
    ['the window over', failed, anAttempt(), NOW + HOUR, 'recorded'],
    ['the window over', unknown, anAttempt(), NOW + HOUR, 'unknown'],
    ['another attempt running', started, anAttempt(), NOW, 'running'],
    ['a person who withdrew it', scene.withdraw(unknown, 'usr_ann', DEADLINE).state, anAttempt(), DEADLINE, 'unknown'],
  ])('E13 with %s is not granted again', (_, state, other, now, type) => {
    expect(scene.claim(state, other, now).claim?.type).toBe(type)
  })

  it('E13 runs again 20 times and no more, so that no agent fills the revocation lists of its project', () => {
    let state = started
    for (let run = 1; run <= MAX_RUNS_AGAIN; run++) {
      state = scene.claim(scene.report(state, attempt, 'failed').state, attempt).state
      expect([run, state.execution.state]).toEqual([run, 'started'])
    }
    const last = scene.report(state, attempt, 'failed').state
    const late = scene.tick(state, DEADLINE).state
    expect([scene.claim(last, attempt), scene.claim(late, attempt, DEADLINE)].map(({ claim }) => claim)).toEqual([
      { type: 'recorded', status: 'failed' },
      { type: 'unknown' },
    ])
  })

  it('E13 that policy no longer approves is refused, and stays as it is', () => {
    const stricter = scene.with({ policies: [TWO_PEOPLE] })
    expect(refusalOf(() => stricter.claim(failed, anAttempt()))?.code).toBe('POLICY_CHANGED')
  })

  it('E13 a second run is reported anew: what was said of the first is in the log', () => {
    const logged = scene.log(failed, 'verifier', 'failed').state
    const again = scene.claim(logged, anAttempt()).state
    const done = scene.log(again, 'verifier', 'failed').state
    expect([again.execution.reports, done.execution.state]).toEqual([undefined, 'failed'])
  })
})

describe('permits', () => {
  it('P1 exp is the earlier of iat + ttl and use_until, fixed when minted', () => {
    const early = scene.claim(scene.approved()).state.permits[0]
    const late = scene.claim(scene.approved(), anAttempt(), NOW + HOUR - 60 * SECOND).state.permits[0]
    expect([early?.iat, early?.exp, late?.exp]).toEqual([NOW / 1000, NOW / 1000 + 300, (NOW + HOUR) / 1000])
  })

  it('P1 one jti never has two expiries', () => {
    const attempt = anAttempt()
    const started = scene.started({}, attempt)
    const again = scene.claim(started, attempt, NOW + 200 * SECOND).claim
    expect(again).toEqual({ type: 'granted', permit: started.permits[0] })
  })

  it('P2 is minted by a claim, and by nothing before it', () => {
    const approved = scene.approved()
    expect([
      approved.permits,
      scene.tick(approved, NOW + SECOND).permits,
      scene.claim(approved).permits.length,
    ]).toEqual([[], [], 1])
  })

  it('P4 the permit of an earlier grant is revoked by a later one', () => {
    const attempt = anAttempt()
    const failed = scene.report(scene.started({ idempotent: true }, attempt), attempt, 'failed').state
    const again = scene.claim(failed, anAttempt()).state
    expect(again.permits.map(({ revokedAt }) => revokedAt === undefined)).toEqual([false, true])
  })

  describe('that wait for their leaf', () => {
    const attempt = anAttempt()
    const claimed = scene.claim(scene.vote(elevated(), 'usr_ann').state, attempt, NOW, 'deferred')

    it('P6 the claim stands, but nothing is handed out', () => {
      expect([claimed.refusal?.code, claimed.claim, claimed.state.execution.state]).toEqual([
        'NOT_SEQUENCED',
        undefined,
        'started',
      ])
    })

    it('P6 the same attempt repeats it, and another one finds it running', () => {
      expect([
        refusalOf(() => scene.claim(claimed.state, attempt, NOW + SECOND, 'deferred'))?.code,
        scene.claim(claimed.state, anAttempt(), NOW, 'deferred').claim?.type,
      ]).toEqual(['NOT_SEQUENCED', 'running'])
    })

    it('P6 iat and the deadline begin at sequencing', () => {
      const sequencer = { type: 'sequenced' } as const
      const now = NOW + 7 * SECOND
      const sequenced = scene.run(claimed.state, sequencer, now).state
      expect([sequenced.permits[0]?.iat, sequenced.execution.deadline]).toEqual([now / 1000, now + 900 * SECOND])
      expect(scene.claim(sequenced, attempt, now, 'deferred').claim?.type).toBe('granted')
    })

    it('P6 a medium permit does not wait', () => {
      expect(scene.claim(scene.approved(), attempt, NOW, 'deferred').claim?.type).toBe('granted')
    })
  })
})

function elevated(): State {
  return scene.declare({ riskTier: 'high' })
}

function policyFor(approver: string) {
  return { decision: 'require_approval', approval: { allowed_approvers: [approver] } }
}

function blocked() {
  return { decision: 'require_approval', time_restrictions: { block_hours: [12, 13] } }
}
