/**
 * What can happen where a gated tool is called: beside other calls, by tools of all kinds, by agents in tools, and again.
 *
 * @module
 */
import {
  ANSWER,
  approve,
  CUSTOMER,
  calls,
  DELEGATED,
  done,
  down,
  failFirst,
  other,
  REFUNDED,
  refund,
  refused,
  type Scenario,
  told,
} from './adapter-scenario.js'

export const PARALLEL: readonly Scenario[] = [
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

export const TOOLS: readonly Scenario[] = [
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
    expected: { ...done, sees: [{ error: 'the bank is closed' }], intents: ['approved failed'] },
  },
  {
    name: 'the tool streams and throws',
    kind: 'generator',
    decide: approve,
    during: () => {
      throw new Error('the bank is closed')
    },
    expected: { ...done, sees: [{ error: 'the bank is closed' }], intents: ['approved failed'] },
  },
  {
    name: 'the tool times out: nobody knows what it did',
    decide: approve,
    toolTimeoutMs: 50,
    during: () => new Promise((resolve) => setTimeout(resolve, 500)),
    expected: { ...done, sees: [{ error: 'timed out' }], intents: ['approved started'] },
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
    expected: { sees: [{ error: 'JSON' }], caller: 'the answer', intents: [], ran: [] },
  },
  {
    name: 'arguments that the schema refuses ask nobody',
    turns: calls(other('issue_refund', { customer_id: CUSTOMER, amount: 'all of it' })),
    decide: approve,
    expected: { sees: [{ error: 'input' }], caller: 'the answer', intents: [], ran: [] },
  },
]

export const AGENTS: readonly Scenario[] = [
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
    name: 'an agent in an agent in a tool',
    turns: [
      { calls: [other('ask_colleague', { customer_id: CUSTOMER }, 'call_1')] },
      { calls: [other('ask_colleague', { customer_id: CUSTOMER }, 'call_2')] },
      { calls: [refund(250, 'call_3')] },
      { text: 'The colleague of the colleague is done.' },
      { text: 'The colleague is done.' },
      ANSWER,
    ],
    decide: approve,
    expected: { ...done, sees: ['The colleague is done.'] },
  },
  {
    name: 'a gated agent in a tool',
    turns: DELEGATED,
    decide: approve,
    expected: { ...done, sees: ['The colleague is done.'], intents: ['approved succeeded', 'approved succeeded'] },
  },
  {
    name: 'a gated agent in a tool is denied',
    turns: calls(other('delegate_case', { customer_id: CUSTOMER })),
    decide: (stage, intent) => stage.deny(intent, 'not to a colleague'),
    expected: told('INTENT_DENIED', 'denied none'),
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

export const REPEATS: readonly Scenario[] = [
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
