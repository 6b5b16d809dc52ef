/**
 * Where the Agents SDK and the plain client differ from the conformance suite: what they cannot play, or what comes of it instead, and why. The
 * matrix in the docs says the same.
 *
 * @module
 */
import type { Deviation, Differences } from '@silentauth/core/contracts'

const streams = 'tools of this SDK do not stream'

export const DIFFERENCES: Differences = {
  'the tool streams': streams,
  'the tool streams, and is denied': streams,
  'the tool streams and throws': streams,
  'a call id that repeats in the next turn is a new action': {
    sees: ['refunded 250'],
    caller: 'the answer',
    intents: ['approved succeeded'],
    ran: [250],
    because: 'this SDK takes a call whose id came before for that call, and does not make it',
  },
}

/** Only calls of the model are paused by this SDK: what waits within a tool would have nobody to come back to. */
const within: Deviation = {
  sees: [{ refused: 'NOT_FOUND' }],
  caller: 'the answer',
  intents: ['approved succeeded'],
  ran: [],
  because: 'a call within a tool cannot be suspended by this SDK: hold there',
}
const onlyRead: Deviation = {
  sees: [{ refused: 'INTENT_DENIED' }],
  caller: 'the answer',
  intents: ['denied none'],
  ran: [],
  because: 'after a restore intents are only read: the model is told of the denial',
}

export const DIFFERENCES_SUSPENDED: Differences = {
  ...DIFFERENCES,
  'a tool makes two equal calls of a gated one': { ...within, intents: [] },
  'a gated tool calls a gated one': within,
  'two processes resume one suspended outer tool at the same moment': within,
  'agent paused while waiting: nobody can approve': onlyRead,
  'agent revoked while waiting: nobody can approve': onlyRead,
  'the tool asks something itself': 'a function tool cannot pause itself',
  'the persisted call gets other arguments, after it was approved': {
    sees: ['refunded 250'],
    caller: 'the answer',
    intents: ['approved succeeded'],
    ran: [250],
    because: 'the envelope is sealed: what was changed is not resumed, and the call of the model is',
  },
  'the history is run from before the call once more, after it ended': {
    sees: [{ refused: 'ALREADY_EXECUTED' }],
    caller: 'the answer',
    intents: ['approved succeeded'],
    ran: [250],
    because: 'an envelope that is resumed again is the same run, and its calls are the same actions',
  },
}

const noStreams = 'functions of this client do not stream'
const textOnly = 'functions of this client give a text, and nothing beside it'
const once = 'this client makes each call once'
/** What a function throws ends the run. */
const thrown: Deviation = {
  sees: [],
  caller: { error: 'the bank is closed' },
  intents: ['approved failed'],
  ran: [250],
  because: 'what a function throws ends the run of this client',
}
const PLAIN: Differences = {
  'the tool streams': noStreams,
  'the tool streams, and is denied': noStreams,
  'the tool streams and throws': noStreams,
  'the tool returns an artifact': textOnly,
  'the tool returns artifacts, and is denied': textOnly,
  'the tool throws': thrown,
  'the tool times out: nobody knows what it did': {
    ...thrown,
    caller: { error: 'timed out' },
    intents: ['approved started'],
  },
}

export const PLAIN_DIFFERENCES: Differences = {
  ...PLAIN,
  'malformed arguments ask nobody': {
    sees: [],
    caller: { error: 'JSON' },
    intents: [],
    ran: [],
    because: 'this client ends the run',
  },
  'the same call again, after it succeeded': once,
  'the same call again, after it failed': once,
  'the same call again, after it failed, of an idempotent tool': once,
  'the same call again, after it was denied': once,
  'the same call again, while nobody knows that it ended': once,
  'the same call again, long after it began': once,
  'the same call again, with other arguments': once,
}

/** Of a loop that is written by hand, with `settleToolCalls`. */
const byHand = 'only calls of the model are settled: hold within a function'
const answered = 'other calls of the turn may have run by then: the model is told'

export const PLAIN_DIFFERENCES_SUSPENDED: Differences = {
  ...PLAIN,
  'gate down at claim': {
    sees: [{ refused: 'GATE_UNAVAILABLE' }],
    caller: 'the answer',
    intents: ['approved none'],
    ran: [],
    because: answered,
  },
  'the answer to the claim is lost': {
    sees: [{ refused: 'GATE_UNAVAILABLE' }],
    caller: 'the answer',
    intents: ['approved abandoned'],
    ran: [],
    because: answered,
  },
  'a tool makes two equal calls of a gated one': byHand,
  'a gated tool calls a gated one': byHand,
  'two processes resume one suspended outer tool at the same moment': byHand,
  'an agent in a tool': byHand,
  'an agent in an agent in a tool': byHand,
  'a gated agent in a tool': byHand,
  'an agent in a tool is denied': byHand,
  'an agent in a tool, resumed before the decision': byHand,
  'two processes resume one suspended outer agent at the same moment': byHand,
  'the tool asks something itself': 'a function cannot pause itself',
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
    because: 'it is the same call still, and its arguments are others: it is refused',
  },
  'the user says something else, after it was approved': {
    sees: [{ refused: 'NOT_CLAIMABLE' }],
    caller: 'the answer',
    intents: ['approved abandoned'],
    ran: [],
    because: 'the loop cancels the intent, and settles the call once more',
  },
}
