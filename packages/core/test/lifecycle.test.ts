import { describe, expect, it } from 'vitest'
import { newId } from '../src/id.js'
import { clock, transition } from '../src/lifecycle.js'
import type { State } from '../src/state.js'
import { AGENT, anAttempt, aPerson, aScene, HOUR, NOW, PEOPLE, peopleWith, SECOND } from './a-scene.js'
import { refusalOf } from './refusal-of.js'

const scene = aScene()
const TWO_DENIES = { decision: 'require_approval', approval: { deny_threshold: 2 } }
const TWO_PEOPLE = { decision: 'require_approval', approval: { approvers_required: 2 } }
const EDITS = { schema: { type: 'object' } } as const

describe('declare', () => {
  it.each([
    ['waits for a person where no policy matches', [], 'pending', 'require_approval'],
    ['is approved by a policy', [{ decision: 'auto_approve', any_params: true }], 'approved', 'auto_approve'],
    ['is denied by a policy', [{ decision: 'auto_deny' }], 'denied', 'auto_deny'],
  ])('I1 an intent %s', (_, policies, status, decision) => {
    const state = aScene({ policies }).declare()
    expect([state.status, state.declaration.verdict]).toEqual([status, decision])
  })

  it('I1 a policy that blocks this hour denies, and says why', () => {
    const policy = { decision: 'require_approval', time_restrictions: { block_hours: [9, 17] } }
    expect(aScene({ policies: [policy] }).declare()).toMatchObject({
      status: 'denied',
      resolution: { by: 'policy', code: 'TIME_RESTRICTED' },
    })
  })
})

describe('approval', () => {
  it('I2 the vote that reaches quorum approves, and fixes until when the approval can be used', () => {
    const state = scene.approved({}, NOW + 1)
    expect([state.status, state.useUntil]).toEqual(['approved', NOW + HOUR])
  })

  it('I2 use_until is in whole seconds, so that a permit can be minted as long as the window is open', () => {
    const state = scene.approved({}, NOW + 999)
    const { claim } = scene.claim(state, anAttempt(), (state.useUntil as number) - 1)
    expect(claim?.type === 'granted' && (claim.permit.exp as number) - (claim.permit.iat as number)).toBe(1)
  })

  it('I2 a token delivery mints its one permit with the approval', () => {
    const state = scene.approved({ delivery: 'token' })
    expect([state.execution.state, state.permits.map(({ exp }) => exp)]).toEqual(['delivered', [NOW / 1000 + 300]])
  })

  it('I2 a token lives only as long as the current policy lets it, if that is shorter (E8)', () => {
    const pending = scene.declare({ delivery: 'token' })
    const stricter = scene.with({ policies: [{ decision: 'require_approval', permit: { ttl_seconds: 60 } }] })
    expect(stricter.vote(pending, 'usr_ann').state.permits[0]?.exp).toBe(NOW / 1000 + 60)
  })

  it('I2 one of two approvals leaves it pending', () => {
    const two = aScene({ policies: [TWO_PEOPLE] })
    expect(two.vote(two.declare(), 'usr_ann').state.status).toBe('pending')
  })
})

describe('denial', () => {
  it('I3 as many denies as the threshold deny', () => {
    const policy = aScene({ policies: [TWO_DENIES] })
    const once = policy.vote(policy.declare(), 'usr_ann', { verdict: 'deny' }).state
    const twice = policy.vote(once, 'usr_bob', { verdict: 'deny' }).state
    expect([once.status, twice.status]).toEqual(['pending', 'denied'])
  })

  it('I3 what denies under the pinned policy denies, whatever the current one wants', () => {
    const pending = scene.declare()
    const laxer = scene.with({ policies: [TWO_DENIES] })
    expect(laxer.vote(pending, 'usr_ann', { verdict: 'deny' }).state.status).toBe('denied')
  })

  it('I3 one deny outweighs approvals that are not enough yet', () => {
    const two = aScene({ policies: [TWO_PEOPLE] })
    const approvedOnce = two.vote(two.declare(), 'usr_ann').state
    expect(two.vote(approvedOnce, 'usr_bob', { verdict: 'deny' }).state.status).toBe('denied')
  })

  it('I4 a request for changes settles it', () => {
    const done = scene.vote(scene.declare(), 'usr_ann', { verdict: 'request_changes', comment: 'less' })
    expect(done.state).toMatchObject({ status: 'changes_requested', resolution: { by: 'person', comment: 'less' } })
  })

  it('I4 a request for changes is one deny where two are needed', () => {
    const policy = aScene({ policies: [TWO_DENIES] })
    const once = policy.vote(policy.declare(), 'usr_ann', { verdict: 'request_changes' }).state
    const twice = policy.vote(once, 'usr_bob', { verdict: 'deny' }).state
    expect([once.status, twice.status]).toEqual(['pending', 'denied'])
  })
})

describe('edits', () => {
  it('I5 an approval with edits supersedes it, and names the successor', () => {
    const done = scene.vote(scene.declare({ edits: EDITS }), 'usr_ann', { params: { amount: 10 } }).state
    expect([done.status, done.supersededBy?.startsWith('int_'), done.permits]).toEqual(['superseded', true, []])
  })

  it.each([
    ['that takes none', {}, {}],
    ['whose policy counts denies', { edits: EDITS }, { policies: [TWO_DENIES] }],
  ])('I12 an intent %s cannot be edited', (_, draft, setting) => {
    const own = aScene(setting)
    const state = own.declare(draft)
    expect(refusalOf(() => own.vote(state, 'usr_ann', { params: { amount: 10 } }))?.code).toBe('EDITS_NOT_ACCEPTED')
  })

  it('I12 a threshold that the current policy raised takes no edits either', () => {
    const state = scene.declare({ edits: EDITS })
    const current = scene.with({ policies: [TWO_DENIES] })
    expect(refusalOf(() => current.vote(state, 'usr_ann', { params: { amount: 1 } }))?.code).toBe('EDITS_NOT_ACCEPTED')
  })

  it('I12 params go with an approval only', () => {
    const state = scene.declare({ edits: EDITS })
    const refused = refusalOf(() => scene.vote(state, 'usr_ann', { verdict: 'deny', params: { amount: 10 } }))
    expect([refused?.code, refused?.field]).toEqual(['INVALID_FIELD', 'parameters'])
  })
})

describe('the end of pending', () => {
  it('I6 its agent cancels it', () => {
    expect(scene.cancel(scene.declare()).state).toMatchObject({
      status: 'cancelled',
      resolution: { by: 'agent', comment: 'no need' },
    })
  })

  it.each([
    ['a millisecond before', HOUR - 1, 'pending'],
    ['exactly at', HOUR, 'expired'],
  ])('I7 %s expires_at it is so', (_, after, status) => {
    expect(clock(scene.declare(), NOW + after).state.status).toBe(status)
  })

  it('I7 no vote comes in time at expires_at', () => {
    const refused = refusalOf(() => scene.vote(scene.declare(), 'usr_ann', {}, NOW + HOUR))
    expect(refused?.code).toBe('ALREADY_RESOLVED')
  })

  it('I7 expires_at means nothing once it is approved', () => {
    const approved = scene.approved({ expiresInSeconds: 10 })
    expect(clock(approved, NOW + 11 * SECOND).state.status).toBe('approved')
  })

  const settled: readonly [string, State][] = [
    ['approved', scene.approved()],
    ['denied', scene.vote(scene.declare(), 'usr_ann', { verdict: 'deny' }).state],
    ['cancelled', scene.cancel(scene.declare()).state],
    ['changes_requested', scene.vote(scene.declare(), 'usr_ann', { verdict: 'request_changes' }).state],
    ['superseded', scene.vote(scene.declare({ edits: EDITS }), 'usr_ann', { params: { amount: 1 } }).state],
    ['expired', scene.tick(scene.declare(), NOW + HOUR).state],
  ]
  it.each(settled)('I8 a vote on what is %s changes nothing', (_, state) => {
    expect(refusalOf(() => scene.vote(state, 'usr_bob', { verdict: 'deny' }))?.code).toBe('ALREADY_RESOLVED')
  })

  it.each(settled.slice(1))('I8 a cancel of what is %s changes nothing', (_, state) => {
    expect(refusalOf(() => scene.cancel(state))?.code).toBe('ALREADY_RESOLVED')
  })
})

describe('the tally', () => {
  it('I9 denies are counted before requests for changes, and those before approvals', () => {
    const policy = aScene({ policies: [{ decision: 'require_approval', approval: { approvers_required: 3 } }] })
    const approved = policy.vote(policy.vote(policy.declare(), 'usr_ann').state, 'usr_bob').state
    expect(policy.vote(approved, 'usr_cleo', { verdict: 'request_changes' }).state.status).toBe('changes_requested')
  })

  it('I9 nobody votes twice', () => {
    const two = aScene({ policies: [TWO_PEOPLE] })
    const once = two.vote(two.declare(), 'usr_ann').state
    expect(refusalOf(() => two.vote(once, 'usr_ann', { verdict: 'deny' }))?.code).toBe('ALREADY_VOTED')
  })

  it('I9 a second account of one person does not vote again', () => {
    const two = aScene({ policies: [TWO_PEOPLE], people: peopleWith('bob', { linked: ['usr_ann'] }) })
    const once = two.vote(two.declare(), 'usr_ann').state
    expect(refusalOf(() => two.vote(once, 'usr_bob'))?.code).toBe('ALREADY_VOTED')
  })

  it('I9 two accounts that turn out to be one person count once', () => {
    const three = aScene({ policies: [{ decision: 'require_approval', approval: { approvers_required: 3 } }] })
    const twice = three.vote(three.vote(three.declare(), 'usr_ann').state, 'usr_bob').state
    const linked = aScene({
      policies: [{ decision: 'require_approval', approval: { approvers_required: 3 } }],
      people: peopleWith('bob', { linked: ['usr_ann'] }),
    })
    expect(linked.vote(twice, 'usr_cleo').state.status).toBe('pending')
  })

  it.each([
    ['was disabled', peopleWith('ann', { status: 'disabled' })],
    ['lost the role', peopleWith('ann', { roles: ['developer'] })],
    ['is gone', PEOPLE.filter(({ id }) => id !== 'usr_ann')],
  ])('I9 the vote of somebody who %s no longer counts', (_, people) => {
    const two = aScene({ policies: [TWO_PEOPLE] })
    const once = two.vote(two.declare(), 'usr_ann').state
    expect(two.with({ people }).vote(once, 'usr_bob').state.status).toBe('pending')
  })

  it('I9 votes must satisfy the pinned and the current policy', () => {
    const pending = scene.declare()
    const stricter = scene.with({ policies: [TWO_PEOPLE] })
    const once = stricter.vote(pending, 'usr_ann').state
    expect([once.status, stricter.vote(once, 'usr_bob').state.status]).toEqual(['pending', 'approved'])
  })

  it('I9 a current policy that became laxer changes nothing about the pinned one', () => {
    const two = aScene({ policies: [TWO_PEOPLE] })
    const laxer = two.with({ policies: [{ decision: 'auto_approve', any_params: true }] })
    expect(laxer.vote(two.declare(), 'usr_ann').state.status).toBe('pending')
  })

  it('I9 a current policy that denies takes no approval, but a denial', () => {
    const pending = scene.declare()
    const denying = scene.with({ policies: [{ decision: 'auto_deny' }] })
    expect([
      refusalOf(() => denying.vote(pending, 'usr_ann'))?.code,
      denying.vote(pending, 'usr_ann', { verdict: 'deny' }).state.status,
    ]).toEqual(['POLICY_CHANGED', 'denied'])
  })

  it('I9 the permit names the approvals that its own policy counts, though the current one counts fewer', () => {
    const people = [
      aPerson('ann', { groups: ['ops'] }),
      aPerson('bob', { groups: ['ops', 'lead'] }),
      aPerson('cleo', { groups: ['lead'] }),
    ]
    const ops = { decision: 'require_approval', approval: { approvers_required: 2, allowed_approvers: ['ops'] } }
    const lead = { decision: 'require_approval', approval: { approvers_required: 1, allowed_approvers: ['lead'] } }
    const before = aScene({ people, policies: [ops] })
    const once = before.vote(before.declare(), 'usr_ann').state
    const done = before.with({ policies: [lead] }).vote(once, 'usr_bob').state
    expect([done.status, done.approvals.map(({ by }) => by)]).toEqual(['approved', ['user:usr_ann', 'user:usr_bob']])
  })

  it('I9 a decision needs the view that the gate holds', () => {
    const refused = refusalOf(() => scene.vote(scene.declare(), 'usr_ann', { intentHash: 'sha-256:other' }))
    expect(refused?.code).toBe('STALE_VIEW')
  })
})

describe('who may vote', () => {
  it.each(['paused', 'revoked'] as const)('I10 a %s agent blocks approve, never deny', (status) => {
    const pending = scene.declare()
    const stopped = scene.with({ agent: { ...AGENT, status } })
    expect([
      refusalOf(() => stopped.vote(pending, 'usr_ann'))?.code,
      stopped.vote(pending, 'usr_ann', { verdict: 'deny' }).state.status,
    ]).toEqual([`AGENT_${status.toUpperCase()}`, 'denied'])
  })

  const linked = (name: string, to: string) => ({ people: peopleWith(name, { linked: [`usr_${to}`] }) })
  it.each([
    ["the agent's owner", 'usr_eve', {}, {}],
    ["the key's creator", 'usr_fay', {}, {}],
    ['the person named in requested_by', 'usr_bob', {}, { requestedBy: 'BOB@example.com' }],
    ['the person named in requested_by by id', 'usr_bob', {}, { requestedBy: 'usr_bob' }],
    ["an account linked to the agent's owner", 'usr_ann', linked('ann', 'eve'), {}],
    ["an account that the agent's owner is linked to", 'usr_ann', linked('eve', 'ann'), {}],
    ["an account linked to the key's creator", 'usr_ann', linked('ann', 'fay'), {}],
    ['an account linked to the person named', 'usr_ann', linked('ann', 'bob'), { requestedBy: 'bob@example.com' }],
    [
      'an account linked through a third one',
      'usr_ann',
      {
        people: [
          ...PEOPLE.filter(({ id }) => id !== 'usr_ann' && id !== 'usr_bob'),
          aPerson('ann', { linked: ['usr_bob'] }),
          aPerson('bob', { linked: ['usr_eve'] }),
        ],
      },
      {},
    ],
    [
      'an account linked to an owner whose account is gone',
      'usr_ann',
      { people: peopleWith('ann', { linked: ['usr_eve'] }).filter(({ id }) => id !== 'usr_eve') },
      {},
    ],
  ] as const)('I11 %s may neither approve nor deny', (_, by, setting, draft) => {
    const own = aScene(setting)
    const state = own.declare(draft)
    expect([
      refusalOf(() => own.vote(state, by))?.code,
      refusalOf(() => own.vote(state, by, { verdict: 'deny' }))?.code,
    ]).toEqual(['SELF_APPROVAL', 'SELF_APPROVAL'])
  })

  it('I11 an approval counts no longer once its voter turns out to have asked', () => {
    const two = aScene({ policies: [TWO_PEOPLE] })
    const once = two.vote(two.declare(), 'usr_ann').state
    const linkedNow = two.with({ people: peopleWith('ann', { linked: ['usr_eve'] }) })
    expect(linkedNow.vote(once, 'usr_bob').state.status).toBe('pending')
  })

  it.each([
    ['nobody', 'usr_zed', {}],
    ['a developer', 'usr_gus', {}],
    ['a disabled approver', 'usr_ann', { people: peopleWith('ann', { status: 'disabled' }) }],
    [
      'an approver whom the policy does not name',
      'usr_ann',
      { policies: [{ decision: 'require_approval', approval: { allowed_approvers: ['bob@example.com'] } }] },
    ],
  ] as const)('%s is no approver', (_, by, setting) => {
    const own = aScene(setting)
    expect(refusalOf(() => own.vote(own.declare(), by))?.code).toBe('NOT_AN_APPROVER')
  })

  it('approvers of the draft narrow whom the policy allows', () => {
    const state = scene.declare({ approvers: ['bob@example.com'] })
    expect([refusalOf(() => scene.vote(state, 'usr_ann'))?.code, scene.vote(state, 'usr_bob').state.status]).toEqual([
      'NOT_AN_APPROVER',
      'approved',
    ])
  })

  it.each(['high', 'critical'] as const)('a vote from the terminal does not count for %s', (riskTier) => {
    const state = scene.declare({ riskTier })
    expect(refusalOf(() => scene.vote(state, 'usr_ann', { via: 'cli' }))?.code).toBe('ASSURANCE_REQUIRED')
  })

  it('a critical intent wants exactly its confirmation', () => {
    const state = scene.declare({ riskTier: 'critical' })
    const right = `issue_refund ${state.declaration.paramsDigest.slice(-4)}`
    expect([
      refusalOf(() => scene.vote(state, 'usr_ann'))?.code,
      refusalOf(() => scene.vote(state, 'usr_ann', { confirm: ` ${right}` }))?.code,
      scene.vote(state, 'usr_ann', { confirm: right }).state.status,
    ]).toEqual(['CONFIRMATION_REQUIRED', 'CONFIRMATION_REQUIRED', 'approved'])
  })

  it.each([
    ['email', 'ann@example.com'],
    ['id', 'usr_ann'],
  ] as const)('permits call an approver by %s where the project says so', (approverLabels, label) => {
    const own = aScene({ project: { approverLabels } })
    expect(own.approved().approvals[0]?.label).toBe(label)
  })
})

describe('hidden values', () => {
  const draft = { riskTier: 'high', params: { amount: 250, password: 'open sesame' } } as const

  it('hold up the approval of a high intent until a counted voter has seen them', () => {
    const state = scene.declare(draft)
    expect(refusalOf(() => scene.vote(state, 'usr_ann'))?.code).toBe('ASSURANCE_REQUIRED')
    const seen = scene.reveal(state, 'usr_ann', '/password').state
    expect(scene.vote(seen, 'usr_ann').state).toMatchObject({ status: 'approved', votes: [{ unseen: [] }] })
  })

  it('were seen by one of two voters, which is enough', () => {
    const two = aScene({ policies: [TWO_PEOPLE] })
    const seen = two.reveal(two.declare(draft), 'usr_ann', '/password').state
    expect(two.vote(two.vote(seen, 'usr_ann').state, 'usr_bob').state.status).toBe('approved')
  })

  it('count as seen only when they were revealed before the vote', () => {
    const two = aScene({ policies: [TWO_PEOPLE] })
    const voted = two.vote(two.declare(draft), 'usr_ann').state
    const late = two.reveal(voted, 'usr_ann', '/password').state
    expect(refusalOf(() => two.vote(late, 'usr_bob'))?.code).toBe('ASSURANCE_REQUIRED')
  })

  it('hold up nothing where the policy allows it, or the tier is medium', () => {
    const lenient = aScene({ policies: [{ decision: 'require_approval', allow_unseen: true }] })
    expect([
      lenient.vote(lenient.declare(draft), 'usr_ann').state.status,
      scene.vote(scene.declare({ ...draft, riskTier: 'medium' }), 'usr_ann').state.status,
    ]).toEqual(['approved', 'approved'])
  })

  it('hold it up too when the current policy is the stricter one', () => {
    const lenient = aScene({ policies: [{ decision: 'require_approval', allow_unseen: true }] })
    const state = lenient.declare(draft)
    expect(refusalOf(() => scene.vote(state, 'usr_ann'))?.code).toBe('ASSURANCE_REQUIRED')
  })

  it('hold it up too when the project raised the tier since', () => {
    const state = scene.declare({ ...draft, riskTier: 'medium' })
    const raised = scene.with({ project: { actionTiers: { issue_refund: 'high' } } })
    expect(refusalOf(() => raised.vote(state, 'usr_ann'))?.code).toBe('ASSURANCE_REQUIRED')
  })

  it('are not shown to those who asked, nor where nothing is hidden', () => {
    const state = scene.declare(draft)
    expect([
      refusalOf(() => scene.reveal(state, 'usr_eve', '/password'))?.code,
      refusalOf(() => scene.reveal(state, 'usr_ann', '/amount'))?.code,
    ]).toEqual(['SELF_APPROVAL', 'INVALID_FIELD'])
  })
})

describe('supersedes', () => {
  const supersede = (state: State) => transition(state, { type: 'supersede', successor: newId('int') }, NOW).state

  it('I13 the agent replaces what is pending, which is never followed', () => {
    expect(supersede(scene.declare())).toMatchObject({ status: 'cancelled', supersededBy: undefined })
  })

  it('I13 the agent replaces what is approved and unclaimed', () => {
    expect(supersede(scene.approved()).execution.state).toBe('abandoned')
  })

  it.each([
    ['started', scene.started()],
    ['delivered', scene.approved({ delivery: 'token' })],
  ])('I13 what is %s is in flight', (_, state) => {
    expect(refusalOf(() => supersede(state))?.code).toBe('IN_FLIGHT')
  })

  it.each([
    ['denied', scene.vote(scene.declare(), 'usr_ann', { verdict: 'deny' }).state],
    ['abandoned', scene.cancel(scene.approved()).state],
  ])('I13 what is %s stays as it is', (_, state) => {
    expect(supersede(state)).toEqual(state)
  })
})

describe('once and for all', () => {
  it('I16 no command arms an intent again', () => {
    const over = scene.tick(scene.approved(), NOW + HOUR).state
    expect([
      scene.claim(over, anAttempt(), NOW + HOUR).claim,
      refusalOf(() => scene.vote(over, 'usr_bob', {}, NOW + HOUR))?.code,
    ]).toEqual([{ type: 'closed', reason: 'window' }, 'ALREADY_RESOLVED'])
  })

  it("I17 policy's decision stays, whatever status and resolution say", () => {
    const denied = scene.vote(scene.declare(), 'usr_ann', { verdict: 'deny', comment: 'no' }).state
    expect([denied.declaration.verdict, denied.status, denied.resolution]).toEqual([
      'require_approval',
      'denied',
      { by: 'person', code: 'INTENT_DENIED', comment: 'no', earlierIntent: undefined },
    ])
  })

  it('gives a refused command no new state', () => {
    const state = scene.declare()
    const before = structuredClone(state)
    refusalOf(() => scene.vote(state, 'usr_eve'))
    expect(state).toEqual(before)
  })

  it('says in one list what the clock and the command did', () => {
    const { events } = scene.claim(scene.approved(), anAttempt(), NOW + HOUR)
    expect(events.map(({ type }) => type)).toEqual(['execution.abandoned'])
  })
})
