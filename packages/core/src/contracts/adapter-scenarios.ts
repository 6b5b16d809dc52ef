/**
 * What can happen to a call of a gated tool, and what must come of it in every adapter.
 *
 * @module
 */
import {
  ANSWER,
  abort,
  aborted,
  altered,
  approve,
  CUSTOMER,
  calls,
  done,
  down,
  edit,
  failFirst,
  grantedClaim,
  other,
  REFUNDED,
  refund,
  refused,
  refusedThenDenied,
  type Scenario,
  TWO_PEOPLE,
  told,
  waits,
} from './adapter-scenario.js'
import { SUSPENSIONS } from './adapter-suspensions.js'

const DECISIONS: readonly Scenario[] = [
  { name: 'approved', decide: approve, expected: { ...done, events: ['pending', 'decided', 'claimed', 'finished'] } },
  { name: 'approved, streaming', streaming: true, decide: approve, expected: done },
  {
    name: 'approved by policy',
    before: (stage) =>
      stage.policies([{ decision: 'auto_approve', match: { action_pattern: 'issue_*' }, any_params: true }]),
    expected: done,
  },
  {
    name: 'denied by policy',
    before: (stage) => stage.policies([{ decision: 'auto_deny', match: { action_pattern: 'issue_*' } }]),
    expected: told('INTENT_DENIED', 'denied none'),
  },
  {
    name: 'denied',
    decide: (stage, intent) => stage.deny(intent, 'too much'),
    expected: told('INTENT_DENIED', 'denied none'),
  },
  {
    name: 'denied, streaming',
    streaming: true,
    decide: (stage, intent) => stage.deny(intent, 'too much'),
    expected: told('INTENT_DENIED', 'denied none'),
  },
  {
    name: 'changes requested, and the changed call approved',
    turns: [{ calls: [refund(250, 'call_1')] }, { calls: [refund(200, 'call_2')] }, ANSWER],
    decide: (stage, intent) =>
      intent.params.amount === 200 ? stage.approve(intent) : stage.requestChanges(intent, 'not more than 200'),
    expected: {
      sees: [refused('CHANGES_REQUESTED'), 'refunded 200'],
      caller: 'the answer',
      intents: ['approved succeeded', 'changes_requested none'],
      ran: [200],
    },
  },
  {
    name: 'edited',
    options: { allowEdits: true },
    decide: edit(50),
    expected: {
      sees: ['refunded 50'],
      caller: 'the answer',
      intents: ['approved succeeded', 'superseded none'],
      ran: [50],
    },
  },
  {
    name: "edited into what the tool's JSON schema refuses",
    options: { allowEdits: true },
    decide: refusedThenDenied('INVALID_FIELD', (stage, intent) =>
      stage.edit(intent, { customer_id: CUSTOMER, amount: 'fifty' }),
    ),
    expected: told('INTENT_DENIED', 'denied none'),
  },
  {
    name: 'edited into what only the tool itself refuses',
    options: { allowEdits: true },
    decide: edit(0.001),
    expected: told('EDITS_NOT_ACCEPTED', 'approved abandoned', 'superseded none'),
  },
  {
    name: 'edited where edits are not allowed',
    decide: refusedThenDenied('EDITS_NOT_ACCEPTED', edit(50)),
    expected: told('INTENT_DENIED', 'denied none'),
  },
  {
    name: 'expired',
    decide: (stage, intent) => stage.expire(intent),
    expected: told('INTENT_EXPIRED', 'expired none'),
  },
  {
    name: 'cancelled by somebody else',
    decide: (stage, intent) => stage.cancel(intent),
    expected: told('INTENT_CANCELLED', 'cancelled none'),
  },
  {
    name: 'not decided in time',
    options: { timeoutMs: 40 },
    suspended: told('INTENT_EXPIRED', 'expired none'),
    expected: told('WAIT_TIMEOUT', 'cancelled none'),
  },
]

const ABORTS: readonly Scenario[] = [
  { name: 'aborted before it begins', before: abort, expected: aborted() },
  {
    name: 'aborted during the wait',
    decide: async (stage) => abort(stage),
    suspended: aborted('pending none'),
    expected: aborted('cancelled none'),
  },
  {
    name: 'aborted between approval and claim',
    decide: approve,
    hooks: (stage) => ({
      wait: async (next) => {
        const settled = await next()
        abort(stage)
        return settled
      },
    }),
    suspended: 'no process waits for the approval',
    expected: aborted('approved abandoned'),
  },
  {
    name: 'aborted between claim and tool',
    decide: approve,
    hooks: (stage) => ({
      claim: async (next) => {
        const claim = await next()
        abort(stage)
        return claim
      },
    }),
    expected: aborted('approved abandoned'),
  },
  {
    name: 'aborted while the tool runs: never reported as not having happened',
    decide: approve,
    during: abort,
    expected: {
      caller: 'the reason of the abort',
      intents: [/^approved (started|succeeded)$/],
      ran: [250],
    },
  },
]

const FAULTS: readonly Scenario[] = [
  {
    name: 'gate down at declare',
    hooks: () => ({ declare: down }),
    suspended: waits(),
    expected: told('GATE_UNAVAILABLE'),
  },
  {
    name: 'gate down at wait',
    hooks: () => ({ wait: down }),
    suspended: 'no process waits',
    expected: told('GATE_UNAVAILABLE', 'cancelled none'),
  },
  {
    name: 'gate down at claim',
    decide: approve,
    hooks: () => ({ claim: down }),
    suspended: waits('approved none'),
    expected: told('GATE_UNAVAILABLE', 'approved none'),
  },
  {
    name: 'the answer to the claim is lost',
    decide: approve,
    hooks: () => ({ claim: (next) => next().then(down) }),
    suspended: told('NOT_CLAIMABLE', 'approved abandoned'),
    expected: told('GATE_UNAVAILABLE', 'approved abandoned'),
  },
  {
    name: 'gate down at report: the result stands',
    decide: approve,
    hooks: () => ({ report: down }),
    expected: { ...done, intents: ['approved started'], events: ['report_failed'] },
  },
  {
    name: 'the claim grants other params',
    decide: approve,
    hooks: () => ({
      claim: grantedClaim((claim) => ({ ...claim, params: { customer_id: CUSTOMER, amount: 9999 } })),
    }),
    expected: told('PERMIT_PARAMS', 'approved abandoned'),
  },
  {
    name: 'the permit was altered',
    decide: approve,
    hooks: () => ({ claim: grantedClaim((claim) => ({ ...claim, permit: altered(claim.permit) })) }),
    expected: told('PERMIT_SIGNATURE', 'approved abandoned'),
  },
  {
    name: 'agent paused before the call',
    before: (stage) => stage.setAgent('paused'),
    expected: told('AGENT_PAUSED'),
  },
  {
    name: 'agent paused while waiting: nobody can approve',
    decide: refusedThenDenied('AGENT_PAUSED', async (stage, intent) => {
      await stage.setAgent('paused')
      await stage.approve(intent)
    }),
    suspended: told('AGENT_PAUSED', 'denied none'),
    expected: told('INTENT_DENIED', 'denied none'),
  },
  {
    name: 'agent paused between approval and claim',
    decide: approve,
    hooks: (stage) => ({ claim: (next) => stage.setAgent('paused').then(next) }),
    expected: told('AGENT_PAUSED', 'approved none'),
  },
  {
    name: 'agent revoked between approval and claim',
    decide: approve,
    hooks: (stage) => ({ claim: (next) => stage.setAgent('revoked').then(next) }),
    expected: told('AGENT_REVOKED', 'approved none'),
  },
  {
    name: 'policy stricter at the claim',
    decide: approve,
    hooks: (stage) => ({ claim: (next) => stage.policies(TWO_PEOPLE).then(next) }),
    expected: told('POLICY_CHANGED', 'approved abandoned'),
  },
]

const PARALLEL: readonly Scenario[] = [
  {
    name: 'a gated and an ungated call',
    turns: calls(other('look_up_customer', { customer_id: CUSTOMER }, 'call_1'), refund(250, 'call_2')),
    decide: approve,
    expected: { ...done, sees: ['customer in good standing', REFUNDED] },
  },
  {
    name: 'one approved, one denied, one ungated',
    turns: calls(
      refund(9999, 'call_1'),
      other('look_up_customer', { customer_id: CUSTOMER }, 'call_2'),
      refund(250, 'call_3'),
    ),
    decide: (stage, intent) => (intent.params.amount === 250 ? stage.approve(intent) : stage.deny(intent, 'too much')),
    expected: {
      sees: [refused('INTENT_DENIED'), 'customer in good standing', REFUNDED],
      caller: 'the answer',
      intents: ['approved succeeded', 'denied none'],
      ran: [250],
    },
  },
  {
    name: 'two identical calls are two actions',
    turns: calls(refund(250, 'call_1'), refund(250, 'call_2')),
    decide: approve,
    expected: {
      sees: [REFUNDED, REFUNDED],
      caller: 'the answer',
      intents: ['approved succeeded', 'approved succeeded'],
      ran: [250, 250],
    },
  },
  {
    name: 'eight calls keep their permits apart',
    turns: calls(...[1, 2, 3, 4, 5, 6, 7, 8].map((amount) => refund(amount, `call_${amount}`))),
    decide: approve,
    expected: {
      sees: [1, 2, 3, 4, 5, 6, 7, 8].map((amount) => `refunded ${amount}`),
      caller: 'the answer',
      intents: Array.from({ length: 8 }, () => 'approved succeeded'),
      ran: [1, 2, 3, 4, 5, 6, 7, 8],
    },
  },
]

const TOOLS: readonly Scenario[] = [
  { name: 'the tool streams', kind: 'generator', decide: approve, expected: done },
  {
    name: 'the tool streams, and is denied',
    kind: 'generator',
    decide: (stage, intent) => stage.deny(intent, 'too much'),
    expected: told('INTENT_DENIED', 'denied none'),
  },
  { name: 'the tool returns an artifact', kind: 'artifact', decide: approve, expected: done },
  {
    name: 'the tool returns artifacts, and is denied',
    kind: 'artifact',
    decide: (stage, intent) => stage.deny(intent, 'too much'),
    expected: told('INTENT_DENIED', 'denied none'),
  },
  {
    name: 'the tool throws',
    decide: approve,
    during: () => {
      throw new Error('the bank is closed')
    },
    expected: { ...done, sees: ['the bank is closed'], intents: ['approved failed'] },
  },
  {
    name: 'the tool streams and throws',
    kind: 'generator',
    decide: approve,
    during: () => {
      throw new Error('the bank is closed')
    },
    expected: { ...done, sees: ['the bank is closed'], intents: ['approved failed'] },
  },
  {
    name: 'a tool makes two equal calls of a gated one',
    turns: calls(other('refund_twice', { customer_id: CUSTOMER, amount: 250 })),
    decide: approve,
    suspended: {
      // Its body runs once more for the second call, and the first has run.
      sees: [refused('ALREADY_EXECUTED')],
      caller: 'the answer',
      intents: ['approved succeeded', 'approved succeeded'],
      ran: [250, 250],
    },
    expected: {
      sees: [`${REFUNDED}, ${REFUNDED}`],
      caller: 'the answer',
      intents: ['approved succeeded', 'approved succeeded'],
      ran: [250, 250],
    },
  },
  {
    name: 'a gated tool calls a gated one',
    turns: calls(other('settle_case', { customer_id: CUSTOMER, amount: 250 })),
    decide: approve,
    expected: { ...done, sees: [`settled: ${REFUNDED}`], intents: ['approved succeeded', 'approved succeeded'] },
  },
  {
    name: 'malformed arguments ask nobody',
    turns: calls(other('issue_refund', '{"customer_id": "cust_4821", "amount":')),
    decide: approve,
    expected: { intents: [], ran: [] },
  },
  {
    name: 'arguments that the schema refuses ask nobody',
    turns: calls(other('issue_refund', { customer_id: CUSTOMER, amount: 'all of it' })),
    decide: approve,
    expected: { caller: 'the answer', intents: [], ran: [] },
  },
]

const AGENTS: readonly Scenario[] = [
  {
    name: 'an agent in a tool',
    turns: [
      { calls: [other('ask_colleague', { customer_id: CUSTOMER })] },
      { calls: [refund(250, 'call_2')] },
      { text: 'The colleague is done.' },
      ANSWER,
    ],
    decide: approve,
    expected: { ...done, sees: ['The colleague is done.'] },
  },
  {
    name: 'an agent in a tool is denied',
    turns: [
      { calls: [other('ask_colleague', { customer_id: CUSTOMER })] },
      { calls: [refund(250, 'call_2')] },
      { text: 'The colleague was denied.' },
      ANSWER,
    ],
    decide: (stage, intent) => stage.deny(intent, 'too much'),
    expected: { sees: ['The colleague was denied.'], caller: 'the answer', intents: ['denied none'], ran: [] },
  },
]

const REPEATS: readonly Scenario[] = [
  {
    name: 'a call id that repeats in the next turn is a new action',
    turns: [{ calls: [refund(250)] }, { calls: [refund(250)] }, ANSWER],
    decide: approve,
    expected: {
      sees: [REFUNDED, REFUNDED],
      caller: 'the answer',
      intents: ['approved succeeded', 'approved succeeded'],
      ran: [250, 250],
    },
  },
  {
    name: 'a call id that repeats in the next run is a new action',
    runs: 2,
    decide: approve,
    expected: {
      caller: 'the answer',
      intents: ['approved succeeded', 'approved succeeded'],
      ran: [250, 250],
    },
  },
  {
    name: 'the same call again, after it succeeded',
    repeats: ['unchanged'],
    decide: approve,
    expected: { ...done, sees: [refused('ALREADY_EXECUTED')] },
  },
  {
    name: 'the same call again, after it failed',
    repeats: ['unchanged'],
    decide: approve,
    during: failFirst,
    expected: { ...done, sees: ['ran before under this approval, and failed'], intents: ['approved failed'] },
  },
  {
    name: 'the same call again, after it failed, of an idempotent tool',
    options: { idempotent: true },
    repeats: ['unchanged'],
    decide: approve,
    during: failFirst,
    expected: { ...done, ran: [250, 250] },
  },
  {
    name: 'the same call again, after it was denied',
    repeats: ['unchanged'],
    decide: (stage, intent) => stage.deny(intent, 'too much'),
    expected: told('INTENT_DENIED', 'denied none'),
  },
  {
    name: 'the same call again, while nobody knows that it ended',
    repeats: ['unchanged'],
    decide: approve,
    hooks: () => ({ report: down }),
    suspended: { caller: 'a run that waits', intents: ['approved started'], ran: [250] },
    expected: { ...done, sees: [refused('EXECUTION_RUNNING')], intents: ['approved started'] },
  },
  {
    name: 'the same call again, long after it began',
    repeats: ['unchanged'],
    decide: approve,
    hooks: (stage) => ({
      report: async () => {
        stage.passTime()
        return down()
      },
    }),
    expected: { ...done, sees: [refused('EXECUTION_UNKNOWN')], intents: ['approved unknown'] },
  },
  {
    name: 'the same call again, with other arguments',
    repeats: [{ customer_id: CUSTOMER, amount: 9999 }],
    decide: approve,
    expected: { ...done, sees: [refused('IDEMPOTENCY_MISMATCH')] },
  },
]

/** Their names are the rows of the matrix in the docs. */
export const ADAPTER_SCENARIOS: readonly Scenario[] = [
  ...DECISIONS,
  ...ABORTS,
  ...FAULTS,
  ...PARALLEL,
  ...TOOLS,
  ...AGENTS,
  ...REPEATS,
  ...SUSPENSIONS,
]
