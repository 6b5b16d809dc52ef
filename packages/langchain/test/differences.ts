/**
 * Where LangChain differs from the conformance suite: what comes of it instead, and why. The matrix in the docs says the same.
 *
 * @module
 */
import type { Differences } from '@silentauth/core/contracts'

export const DIFFERENCES: Differences = {
  'malformed arguments ask nobody': {
    sees: [],
    caller: 'an empty answer',
    intents: [],
    ran: [],
    because: 'LangChain makes no call of them, and the run ends',
  },
}
