/**
 * Where the Agents SDK differs from the conformance suite: what it cannot play, or what comes of it instead, and why. The
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
