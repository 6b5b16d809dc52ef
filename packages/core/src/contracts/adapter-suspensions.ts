/**
 * What can happen to a run that is suspended while it waits, and what must come of it in every adapter that can suspend. The
 * authority is the gate's: nothing that a client does to the run, or to what was persisted of it, lets the tool run.
 *
 * @module
 */
import type { Intent } from '../intent.js'
import {
  ANSWER,
  approve,
  CUSTOMER,
  calls,
  DELEGATED,
  done,
  down,
  edit,
  other,
  REFUNDED,
  refund,
  refused,
  type Scenario,
  told,
} from './adapter-scenario.js'
import type { Decide } from './adapter-stage.js'

const approveFirst: Decide = async (stage, intent) => (await stage.intents()).length === 1 && stage.approve(intent)

export const SUSPENSIONS: readonly Scenario[] = [
  { name: 'resumed before the decision', meanwhile: ['wake', 'resume', 'wake'], decide: approve, expected: done },
  {
    name: 'resumed with a forged approval, and nobody decides',
    meanwhile: ['forge', 'forge'],
    expected: told('INTENT_EXPIRED', 'expired none'),
  },
  {
    name: 'resumed with a forged approval, after it was denied',
    meanwhile: ['decide', 'forge'],
    decide: (stage, intent) => stage.deny(intent, 'too much'),
    expected: told('INTENT_DENIED', 'denied none'),
  },
  { name: 'resumed once more after it ended', afterwards: ['wake', 'forge'], decide: approve, expected: done },
  {
    name: 'two processes resume at the same moment',
    meanwhile: ['decide', 'resume twice'],
    decide: approve,
    expected: done,
  },
  {
    name: 'two processes resume two calls at the same moment',
    turns: calls(refund(250, 'call_1'), refund(200, 'call_2')),
    meanwhile: ['decide', 'resume twice'],
    decide: approve,
    expected: {
      sees: [REFUNDED, 'refunded 200'],
      caller: 'the answer',
      intents: ['approved succeeded', 'approved succeeded'],
      ran: [200, 250],
    },
  },
  {
    name: 'the history is run from before the call once more, after it was approved',
    meanwhile: ['decide', 'replay'],
    decide: approve,
    // It is the same call still, and was approved.
    expected: done,
  },
  {
    name: 'the history is run from before the call once more, after it ended',
    turns: [...calls(refund(250)), ANSWER],
    afterwards: ['replay'],
    decide: approveFirst,
    // What is asked anew is another action, which nobody has approved.
    expected: { intents: ['approved succeeded', 'pending none'], ran: [250] },
  },
  {
    name: 'the persisted call gets other arguments, after it was approved',
    meanwhile: ['decide', 'fork'],
    decide: (stage, intent) => (intent.params.amount === 250 ? stage.approve(intent) : stage.deny(intent, 'too much')),
    expected: { intents: ['approved none', 'denied none'], ran: [] },
  },
  {
    name: 'the user says something else meanwhile',
    meanwhile: ['say something'],
    expected: {
      sees: [refused('INTENT_CANCELLED')],
      caller: 'the answer',
      intents: ['cancelled none'],
      ran: [],
    },
  },
  {
    name: 'the user says something else, after it was approved',
    meanwhile: ['decide', 'say something'],
    decide: approve,
    expected: {
      sees: [refused('INTENT_CANCELLED')],
      caller: 'the answer',
      intents: ['approved abandoned'],
      ran: [],
    },
  },
  {
    name: 'the tool asks something itself',
    turns: [{ calls: [other('confirm_refund', { customer_id: CUSTOMER, amount: 250 })] }, ANSWER],
    meanwhile: ['wake', 'decide', 'resume', 'answer'],
    decide: approve,
    expected: {
      sees: ['refunded 250 after yes'],
      caller: 'the answer',
      intents: ['approved succeeded'],
      ran: [250],
    },
  },
  {
    name: 'an agent in a tool, resumed before the decision',
    turns: [
      { calls: [other('ask_colleague', { customer_id: CUSTOMER })] },
      { calls: [refund(250, 'call_2')] },
      { text: 'The colleague is done.' },
      ANSWER,
    ],
    meanwhile: ['wake'],
    decide: approve,
    expected: { ...done, sees: ['The colleague is done.'] },
  },
  {
    name: 'two processes resume one suspended outer tool at the same moment',
    turns: calls(other('settle_case', { customer_id: CUSTOMER, amount: 250 })),
    meanwhile: ['decide', 'resume', 'decide', 'resume twice'],
    decide: approve,
    expected: {
      sees: [`settled: ${REFUNDED}`],
      caller: 'the answer',
      intents: ['approved succeeded', 'approved succeeded'],
      ran: [250],
    },
  },
  {
    name: 'two processes resume one suspended outer agent at the same moment',
    turns: DELEGATED,
    meanwhile: ['decide', 'resume', 'decide', 'resume twice'],
    decide: approve,
    expected: {
      sees: ['The colleague is done.'],
      caller: 'the answer',
      intents: ['approved succeeded', 'approved succeeded'],
      ran: [250],
    },
  },
  {
    name: 'gate down when it is resumed: it waits on, and goes on later',
    meanwhile: ['decide', 'wake'],
    decide: approve,
    hooks: () => {
      let failed = false
      const failingOnce = async (next: () => Promise<Intent>): Promise<Intent> => {
        const found = await next()
        if (failed || found.status !== 'approved') return found
        failed = true
        return down()
      }
      return { declare: failingOnce, read: failingOnce }
    },
    expected: done,
  },
  {
    name: 'edited while suspended, and resumed before the editor was approved',
    options: { allowEdits: true },
    meanwhile: ['decide', 'resume', 'forge'],
    decide: edit(50),
    expected: {
      sees: ['refunded 50'],
      caller: 'the answer',
      intents: ['approved succeeded', 'superseded none'],
      ran: [50],
    },
  },
]
