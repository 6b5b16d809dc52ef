/** What there is no such thing as in the Agents SDK. */

const streams = 'tools of this SDK do not stream'

export const SKIPPED = {
  'the tool streams': streams,
  'the tool streams, and is denied': streams,
  'the tool streams and throws': streams,
  'a call id that repeats in the next turn is a new action': 'this SDK does not make such a call at all',
}
