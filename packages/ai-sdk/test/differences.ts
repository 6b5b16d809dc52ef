/**
 * Where the AI SDK differs from the conformance suite when its runs are suspended: what it cannot play, or what comes of it
 * instead, and why. The matrix in the docs says the same.
 *
 * @module
 */
import type { Deviation, Differences } from '@silentauth/core/contracts'

const onlyRead: Deviation = {
  sees: [{ refused: 'INTENT_DENIED' }],
  caller: 'the answer',
  intents: ['denied none'],
  ran: [],
  because: 'a resumed call is only read: the model is told of the denial',
}
const within: Deviation = {
  sees: [{ refused: 'NOT_FOUND' }],
  caller: 'the answer',
  intents: ['approved succeeded'],
  ran: [],
  because: 'calls in the body of a tool cannot be suspended: hold there',
}
/** What it leaves waiting expires, and nothing runs: `suspension.test.ts` shows it. */
const agent = 'an agent in a tool cannot be suspended: hold there'
const noWayBack = 'a replayed call cannot go back to waiting: the model is told'

export const DIFFERENCES_SUSPENDED: Differences = {
  'gate down at declare': {
    sees: [{ refused: 'NOT_FOUND' }],
    caller: 'the answer',
    intents: [],
    ran: [],
    because: 'only the step in which the model calls declares: later the model is told',
  },
  'gate down at claim': {
    sees: [{ refused: 'GATE_UNAVAILABLE' }],
    caller: 'the answer',
    intents: ['approved none'],
    ran: [],
    because: noWayBack,
  },
  'the answer to the claim is lost': {
    sees: [{ refused: 'GATE_UNAVAILABLE' }],
    caller: 'the answer',
    intents: ['approved abandoned'],
    ran: [],
    because: 'a replayed call is tried once: the model is told',
  },
  'agent paused while waiting: nobody can approve': onlyRead,
  'agent revoked while waiting: nobody can approve': onlyRead,
  'a tool makes two equal calls of a gated one': { ...within, intents: [] },
  'a gated tool calls a gated one': within,
  'two processes resume one suspended outer tool at the same moment': within,
  'an agent in a tool': agent,
  'an agent in an agent in a tool': agent,
  'a gated agent in a tool': agent,
  'an agent in a tool is denied': agent,
  'an agent in a tool, resumed before the decision': agent,
  'two processes resume one suspended outer agent at the same moment': agent,
  'the tool asks something itself': 'a tool cannot pause its run',
  'the same call again, while nobody knows that it ended': {
    sees: [{ refused: 'EXECUTION_RUNNING' }],
    caller: 'the answer',
    intents: ['approved started'],
    ran: [250],
    because: noWayBack,
  },
  'the history is run from before the call once more, after it ended': {
    sees: [{ refused: 'ALREADY_EXECUTED' }],
    caller: 'the answer',
    intents: ['approved succeeded'],
    ran: [250],
    because: 'the persisted call is the same action still',
  },
  'the persisted call gets other arguments, after it was approved': {
    sees: [{ refused: 'IDEMPOTENCY_MISMATCH' }],
    caller: 'the answer',
    intents: ['approved none'],
    ran: [],
    because: 'a history declares nothing: it is refused',
  },
}
