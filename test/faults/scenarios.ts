/**
 * What callers do with a gate, one call each: what was there before, the call, and how a repetition is refused once it has taken
 * effect.
 *
 * @module
 */
import type { ErrorCode, Intent, IntentDraft, JsonObject, KeyPrincipal, Principal, Vote } from '@silentauth/core'
import { newId } from '@silentauth/core'
import type { TestGate } from '@silentauth/core/testing'

export interface Scenario {
  readonly name: string
  readonly policies?: readonly JsonObject[]
  /** How a repetition is refused by design when the first time took effect. */
  readonly refusals: readonly ErrorCode[]
  /** @returns the call; it can be made again */
  arrange(test: TestGate): Promise<() => Promise<unknown>>
}

const ACTION = 'issue_refund'
const PARAMS = { customer_id: 'cust_4821', amount: 250 }
const AUTO = [{ name: 'all', match: {}, decision: 'auto_approve', any_params: true }]
const ONE = [{ name: 'one', match: {}, decision: 'require_approval' }]
const TWO = [{ name: 'two', match: {}, decision: 'require_approval', approval: { approvers_required: 2 } }]
const ALLOWS = [
  { name: 'all', match: {}, decision: 'auto_approve', any_params: true, allow: ['reenters', 'idempotent'] },
]

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'declare, approved by policy, token delivered',
    policies: AUTO,
    refusals: [],
    arrange: async (test) => declaring(test, { delivery: 'token' }),
  },
  {
    name: 'declare, pending',
    refusals: [],
    arrange: async (test) => declaring(test, {}),
  },
  {
    name: 'declare, superseding a pending one',
    refusals: [],
    async arrange(test) {
      const { id } = await declared(test)
      return declaring(test, { supersedes: id, params: { ...PARAMS, amount: 100 } })
    },
  },
  {
    name: 'the vote that reaches quorum',
    policies: TWO,
    refusals: ['ALREADY_VOTED', 'ALREADY_RESOLVED'],
    async arrange(test) {
      const { id } = await declared(test)
      await vote(test, test.approver, id, { verdict: 'approve' })
      // Approvals stand in the order of ids: the second person is the second in every run.
      const second = await test.person({ id: `usr_zzzz${newId('usr').slice(8)}` })
      return () => vote(test, second, id, { verdict: 'approve' })
    },
  },
  {
    name: 'the vote that approves a token delivery',
    refusals: ['ALREADY_VOTED', 'ALREADY_RESOLVED'],
    async arrange(test) {
      const { id } = await declared(test, { delivery: 'token' })
      return () => vote(test, test.approver, id, { verdict: 'approve' })
    },
  },
  {
    name: 'deny',
    refusals: ['ALREADY_VOTED', 'ALREADY_RESOLVED'],
    async arrange(test) {
      const { id } = await declared(test)
      return () => vote(test, test.approver, id, { verdict: 'deny', comment: 'no' })
    },
  },
  {
    name: 'approve with edits',
    refusals: ['ALREADY_VOTED', 'ALREADY_RESOLVED'],
    async arrange(test) {
      const schema = { type: 'object', properties: { customer_id: { type: 'string' }, amount: { type: 'integer' } } }
      const { id } = await declared(test, { edits: { schema } })
      test.clock.advance(1)
      return () => vote(test, test.approver, id, { verdict: 'approve', params: { ...PARAMS, amount: 100 } })
    },
  },
  {
    name: 'cancel',
    refusals: ['ALREADY_RESOLVED'],
    async arrange(test) {
      const { id } = await declared(test)
      return () => test.gate.cancel(id, 'not needed')
    },
  },
  {
    name: 'claim',
    refusals: [],
    async arrange(test) {
      const { id } = await approved(test)
      return () => test.gate.claim(id, attempt(1))
    },
  },
  {
    name: 'report success',
    refusals: ['ALREADY_RESOLVED'],
    async arrange(test) {
      const { id } = await approved(test)
      await test.gate.claim(id, attempt(1))
      return () => test.gate.report(id, attempt(1), { status: 'succeeded', result: { refunded: true } })
    },
  },
  {
    name: 'suspend',
    refusals: ['NOT_CLAIMABLE', 'ALREADY_RESOLVED'],
    async arrange(test) {
      const { id } = await approved(test, { reenters: true })
      await test.gate.claim(id, attempt(1))
      return () => test.gate.report(id, attempt(1), { status: 'suspended' })
    },
  },
  {
    name: 'continue',
    policies: ALLOWS,
    refusals: [],
    async arrange(test) {
      const { id } = await declared(test, { reenters: true })
      await test.gate.claim(id, attempt(1))
      await test.gate.report(id, attempt(1), { status: 'suspended' })
      return () => test.gate.claim(id, { ...attempt(2), continues: 1 })
    },
  },
  {
    name: 'redeem',
    refusals: [],
    async arrange(test) {
      const { id, audience, paramsDigest } = await approved(test)
      const claim = await test.gate.claim(id, attempt(1))
      if (claim.type !== 'granted') throw new Error(`the claim was ${claim.type}`)
      const verifier = await verifierKey(test)
      const redemptionId = `redemption-of-${id}`
      const request = { token: claim.permit, redemptionId, action: ACTION, paramsDigest, audience }
      return () => test.local.counter.redeem(verifier, request)
    },
  },
  {
    name: "a verifier's report",
    refusals: ['ALREADY_RESOLVED'],
    async arrange(test) {
      const { id } = await approved(test)
      await test.gate.claim(id, attempt(1))
      const verifier = await verifierKey(test)
      const permitId = (await test.store.intent(id))?.permits[0]?.id
      if (!permitId) throw new Error('no permit was issued')
      return () => test.local.counter.logExecution(verifier, { permitId, status: 'succeeded' })
    },
  },
  {
    name: 'withdraw',
    refusals: ['ALREADY_RESOLVED', 'NOT_APPROVED'],
    async arrange(test) {
      const { id } = await approved(test)
      return () => test.local.desk.withdraw(test.approver, id, 'a mistake')
    },
  },
  {
    name: 'reconcile',
    refusals: ['ALREADY_RESOLVED'],
    async arrange(test) {
      const { id } = await approved(test)
      await test.gate.claim(id, attempt(1))
      test.clock.advance(3600_000)
      await test.local.sweep()
      return () => test.local.desk.reconcile(test.approver, id, { finding: 'happened' })
    },
  },
  {
    name: 'sweep of an expired intent',
    refusals: [],
    async arrange(test) {
      await declared(test, { expiresInSeconds: 600 })
      test.clock.advance(601_000)
      return () => test.local.sweep()
    },
  },
  {
    name: 'sweep of an execution past its deadline',
    refusals: [],
    async arrange(test) {
      const { id } = await approved(test)
      await test.gate.claim(id, attempt(1))
      test.clock.advance(901_000)
      return () => test.local.sweep()
    },
  },
]

/** What a scenario runs under when it names no policies. */
export const DEFAULT_POLICIES: readonly JsonObject[] = ONE

function attempt(number: number) {
  return { executionId: 'execution-1', attemptId: `attempt-${number}-0123456789abcdef` }
}

function declaring(test: TestGate, draft: Partial<IntentDraft>): () => Promise<Intent> {
  const idempotencyKey = newId('int')
  return () => test.gate.declare({ action: ACTION, params: PARAMS, idempotencyKey, ...draft })
}

async function declared(test: TestGate, draft: Partial<IntentDraft> = {}): Promise<Intent> {
  const intent = await declaring(test, draft)()
  test.clock.advance(1)
  return intent
}

async function approved(test: TestGate, draft: Partial<IntentDraft> = {}): Promise<Intent> {
  const intent = await declared(test, draft)
  await vote(test, test.approver, intent.id, { verdict: 'approve' })
  test.clock.advance(1)
  return intent
}

async function vote(test: TestGate, person: Principal, id: Intent['id'], how: Omit<Vote, 'intentHash'>): Promise<void> {
  const { intentHash } = await test.local.desk.read(person, id)
  await test.local.desk.vote(person, id, { intentHash, ...how })
}

async function verifierKey(test: TestGate): Promise<KeyPrincipal> {
  return (await test.addKey({ kind: 'verifier' })).principal
}
