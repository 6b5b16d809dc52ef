/** What there is no such thing as in the Agents SDK. */

const streams = 'tools of this SDK do not stream'

export const SKIPPED = {
  'the tool streams': streams,
  'the tool streams, and is denied': streams,
  'the tool streams and throws': streams,
  'a call id that repeats in the next turn is a new action': 'this SDK does not make such a call at all',
}

const within = 'a call within a tool cannot be suspended by this SDK'
const sealed = 'the envelope is sealed: what was changed is not resumed'
const noHistory = 'a run has no history to go back to; an envelope that is resumed again is the same run'

export const SKIPPED_SUSPENDED = {
  ...SKIPPED,
  'a tool makes two equal calls of a gated one': within,
  'a gated tool calls a gated one': within,
  'two processes resume one suspended outer tool at the same moment': within,
  'agent paused while waiting: nobody can approve':
    'after a restore intents are only read: the model is told of the denial',
  'the tool asks something itself': 'a function tool cannot pause itself',
  'the persisted call gets other arguments, after it was approved': sealed,
  'the history is run from before the call once more, after it was approved': noHistory,
  'the history is run from before the call once more, after it ended': noHistory,
}
