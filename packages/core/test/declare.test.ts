import { describe, expect, it } from 'vitest'
import { chainAfter, declarationOf, draftFingerprint, NO_CHAIN } from '../src/declare.js'
import type { IntentDraft } from '../src/intent.js'
import { snapshot } from '../src/params.js'
import { AGENT, aScene, KEY, NOW } from './a-scene.js'
import { refusalOf } from './refusal-of.js'

const scene = aScene()
const AUTO = { decision: 'auto_approve', any_params: true }

describe('declarationOf', () => {
  it('I14 a claimed low is medium for auto_approve, unless action_tiers names the action', () => {
    const policies = [{ match: { risk_tier: 'medium' }, decision: 'require_approval' }, AUTO]
    const draft = { riskTier: 'low' } as const
    const named = aScene({ policies, project: { actionTiers: { 'issue_*': 'low' } } })
    expect([aScene({ policies }).declare(draft).status, named.declare(draft).status]).toEqual(['pending', 'approved'])
  })

  it('I14 auto_approve believes the source of a bound key only', () => {
    const policies = [{ ...AUTO, match: { source: AGENT.fingerprint } }]
    const unbound = aScene({ policies, key: { ...KEY, agents: [] } })
    expect([aScene({ policies }).declare().status, unbound.declare().status]).toEqual(['approved', 'pending'])
  })

  it('I14 a policy that trusts claims says so', () => {
    const policies = [{ ...AUTO, match: { source: AGENT.fingerprint }, trust_claims: ['source'] }]
    expect(aScene({ policies, key: { ...KEY, agents: [] } }).declare().status).toBe('approved')
  })

  it.each(['reenters', 'idempotent'] as const)('I14 %s waits for a person unless the policy allows it', (flag) => {
    const statuses = [{ ...AUTO }, { ...AUTO, allow: [flag] }].map(
      (policy) => aScene({ policies: [policy] }).declare({ [flag]: true }).status,
    )
    expect(statuses).toEqual(['pending', 'approved'])
  })

  it('I14 an auto_approve without a closed schema is refused when it is stored', () => {
    const store = () => aScene({ policies: [{ decision: 'auto_approve' }] })
    expect(refusalOf(store)?.code).toBe('INVALID_FIELD')
  })

  it('declares by the bound agent, else by the key', () => {
    const unbound = aScene({ key: { ...KEY, agents: [] } })
    expect([scene.declare(), unbound.declare()].map(({ declaration }) => declaration.declaredBy)).toEqual([
      'agent:agt_1',
      'key:key_1',
    ])
  })

  it('takes the highest of claim, agent and project for the tier', () => {
    const strict = aScene({
      agent: { ...AGENT, enforce: true, riskSensitivity: 'high' },
      project: { actionTiers: { 'issue_*': 'medium' } },
    })
    expect(
      [strict.declare({ riskTier: 'low' }), strict.declare({ riskTier: 'critical' })].map(
        ({ declaration }) => declaration.riskTier,
      ),
    ).toEqual(['high', 'critical'])
  })

  it('hides secrets in the view, and digests what is executed', () => {
    const params = { amount: 250, password: 'open sesame' }
    const { declaration } = scene.declare({ params, context: { api_key: 'sk-live-abcdefghijklmnop' } })
    expect(declaration.view.redacted).toEqual(['/password'])
    expect(JSON.stringify(declaration.view)).not.toMatch(/open sesame|sk-live/)
    expect(declaration.paramsDigest).toBe(snapshot(params).digest)
  })

  it.each([
    ['nobody’s name', ['zed@example.com']],
    ['a name of the language', ['__proto__']],
    ['one unknown name among known ones', ['ann@example.com', 'constructor']],
  ])('refuses approvers with %s', (_, approvers) => {
    expect(refusalOf(() => scene.declare({ approvers }))?.code).toBe('UNKNOWN_APPROVER')
  })

  it.each([
    ['the owner of the agent', 'eve@example.com'],
    ['the creator of the key', 'fay@example.com'],
    ['a developer', 'gus@example.com'],
  ])('refuses approvers that leave only %s', (_, name) => {
    expect(refusalOf(() => scene.declare({ approvers: [name] }))?.code).toBe('UNKNOWN_APPROVER')
  })

  it.each([
    ['context', { context: { at: Number.NaN } }, '/context/at'],
    ['metadata', { metadata: JSON.parse('{"__proto__": 1}') as object }, '/metadata/__proto__'],
  ])('refuses %s that is no strict JSON, and names the place', (_, draft, field) => {
    const refused = refusalOf(() => scene.declare(draft as Partial<IntentDraft>))
    expect([refused?.code, refused?.field]).toEqual(['PARAMS_NOT_CANONICAL', field])
  })

  it('names earlier executions of the same call among the risk factors (E23)', () => {
    const { declaration } = declarationOf({
      draft: { action: 'issue_refund', params: {} },
      params: snapshot({}),
      key: KEY,
      facts: scene.facts,
      chain: NO_CHAIN,
      earlierOfAction: 3,
      unsettledTwins: 1,
      now: NOW,
    })
    expect(declaration.riskFactors.map(({ name }) => name)).toContain('maybe_repeated')
  })
})

describe('draftFingerprint', () => {
  const draft: IntentDraft = { action: 'issue_refund', params: { amount: 250 } }
  const fingerprint = (changes: Partial<IntentDraft>) => {
    const whole = { ...draft, ...changes }
    return draftFingerprint(whole, snapshot(whole.params))
  }

  it.each([
    { action: 'pay' },
    { params: { amount: 251 } },
    { source: 'other' },
    { supersedes: 'int_1' as const },
    { riskTier: 'high' as const },
    { approvers: ['ann@example.com'] },
    { requestedBy: 'bob@example.com' },
    { delivery: 'token' as const },
    { edits: { schema: {} } },
    { reenters: true },
    { idempotent: true },
  ])('I15 tells %o apart', (changes) => {
    expect(fingerprint(changes)).not.toBe(fingerprint({}))
  })

  it('I15 takes context, metadata and expiry for the same call', () => {
    expect(fingerprint({ context: { a: 1 }, metadata: { b: 2 }, expiresInSeconds: 5 })).toBe(fingerprint({}))
  })

  it('I15 takes defaults for what they are', () => {
    expect(fingerprint({ delivery: 'claim', edits: false, reenters: false, idempotent: false, approvers: [] })).toBe(
      fingerprint({}),
    )
  })
})

describe('chainAfter', () => {
  const edits = { schema: {} }

  it('I11 passes on who was excluded, who was named, and who edited', () => {
    const state = scene.vote(scene.declare({ edits, requestedBy: 'bob@example.com' }), 'usr_ann', {
      params: { amount: 1 },
    }).state
    expect(chainAfter(state, scene.facts)).toEqual({
      length: 2,
      excluded: ['usr_eve', 'usr_fay'],
      requestedBy: ['bob@example.com'],
      editors: ['usr_ann'],
    })
  })

  it('I13 refuses the eleventh intent', () => {
    let state = scene.declare()
    for (let length = 2; length <= 10; length++) {
      state = { ...state, declaration: { ...state.declaration, chain: chainAfter(state, scene.facts) } }
    }
    expect(state.declaration.chain.length).toBe(10)
    expect(refusalOf(() => chainAfter(state, scene.facts))?.code).toBe('INVALID_FIELD')
  })

  it.each(['high', 'low'] as const)(
    'I11 editor_may_approve frees the editor of a %s intent as the tier allows',
    (riskTier) => {
      const policy = { decision: 'require_approval', approval: { editor_may_approve: true } }
      const own = aScene({ policies: [policy] })
      const state = own.declare({ riskTier })
      const edited = {
        ...state,
        declaration: { ...state.declaration, chain: { ...NO_CHAIN, editors: ['usr_ann' as const] } },
      }
      const code = refusalOf(() => own.vote(edited, 'usr_ann'))?.code
      expect(code).toBe(riskTier === 'high' ? 'SELF_APPROVAL' : undefined)
    },
  )

  it('I11 editor_may_approve frees nobody who asked', () => {
    const policy = { decision: 'require_approval', approval: { editor_may_approve: true } }
    const own = aScene({ policies: [policy] })
    const state = own.declare()
    const chain = { ...NO_CHAIN, editors: ['usr_eve' as const], excluded: ['usr_ann' as const] }
    const edited = { ...state, declaration: { ...state.declaration, chain } }
    const codes = (['usr_eve', 'usr_ann'] as const).map((by) => refusalOf(() => own.vote(edited, by))?.code)
    expect(codes).toEqual(['SELF_APPROVAL', 'SELF_APPROVAL'])
  })
})
