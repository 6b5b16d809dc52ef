/**
 * What the AI SDK cannot do with a run that is suspended; also what the matrix in the docs says of it.
 *
 * @module
 */

/** Scenario → why the AI SDK cannot play it. What comes of these is in `suspension.test.ts`. */
export const NOT_SUSPENDED: Readonly<Record<string, string>> = {
  'gate down at declare': 'only the step in which the model calls declares: later the model is told',
  'gate down at claim': 'a replayed call cannot go back to waiting: the model is told',
  'the answer to the claim is lost': 'a replayed call is tried once: the model is told',
  'agent paused while waiting: nobody can approve': 'a resumed call is only read: the model is told of the denial',
  'a tool makes two equal calls of a gated one': 'calls in the body of a tool cannot be suspended: hold there',
  'a gated tool calls a gated one': 'calls in the body of a tool cannot be suspended: hold there',
  'an agent in a tool': 'an agent in a tool cannot be suspended: hold there',
  'an agent in a tool is denied': 'an agent in a tool cannot be suspended: hold there',
  'an agent in a tool, resumed before the decision': 'an agent in a tool cannot be suspended: hold there',
  'two processes resume one suspended outer tool at the same moment': 'no tool is entered twice',
  'the tool asks something itself': 'a tool cannot pause its run',
  'the same call again, while nobody knows that it ended':
    'a replayed call cannot go back to waiting: the model is told',
  'the history is run from before the call once more, after it ended':
    'the persisted call is the same action still: it is told that it was executed',
  'the persisted call gets other arguments, after it was approved': 'a history declares nothing: it is refused',
}
