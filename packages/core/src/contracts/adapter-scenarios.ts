/**
 * What can happen to a call of a gated tool, and what must come of it in every adapter.
 *
 * @module
 */
import type { Intent } from '../intent.js'
import { AGENTS, PARALLEL, REPEATS, TOOLS } from './adapter-calls.js'
import {
  ANSWER,
  abort,
  aborted,
  altered,
  approve,
  CUSTOMER,
  done,
  down,
  edit,
  grantedClaim,
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
    name: 'edited into a call of another tool',
    options: { allowEdits: true },
    decide: refusedThenDenied('INVALID_FIELD', (stage, intent) =>
      stage.edit(intent, { customer_id: CUSTOMER, amount: 250, action: 'delete_customer', name: 'delete_customer' }),
    ),
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
    hooks: (stage) => {
      const hearing = async <Heard extends Intent>(next: () => Promise<Heard>): Promise<Heard> => {
        const heard = await next()
        if (heard.status === 'approved') abort(stage)
        return heard
      }
      return { declare: hearing, read: hearing, wait: hearing }
    },
    suspended: aborted('approved none'),
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
    name: 'agent revoked while waiting: nobody can approve',
    decide: refusedThenDenied('AGENT_REVOKED', async (stage, intent) => {
      await stage.setAgent('revoked')
      await stage.approve(intent)
    }),
    expected: told('AGENT_REVOKED', 'denied none'),
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
