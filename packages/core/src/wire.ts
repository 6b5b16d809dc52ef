/**
 * The wire: the one place, with its folder, where the two spellings meet, snake_case and RFC 3339 outside, camelCase and epoch
 * milliseconds inside. It maps names and instants, and decides nothing.
 *
 * @module
 */
export {
  attemptToWire,
  claimFromWire,
  claimToWire,
  reportToWire,
  type WireAttempt,
  type WireClaim,
} from './wire/claim.js'
export { draftFromWire, draftToWire } from './wire/draft.js'
export { executionFromWire, executionToWire, type WireExecution } from './wire/execution.js'
export { epoch, instant } from './wire/instant.js'
export { intentFromWire, intentToWire, type WireIntent } from './wire/intent.js'
export type { WireResolution } from './wire/resolution.js'
export {
  inboxItemToWire,
  reviewToWire,
  type WireCanVote,
  type WireInboxItem,
  type WireReview,
  type WireVote,
} from './wire/review.js'
