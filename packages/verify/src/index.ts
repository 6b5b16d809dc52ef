/**
 * The backend's side: verifies permits offline, once per approval.
 *
 * @module
 */
export {
  type PermitRequirement,
  permitOf,
  type RefusalAnswer,
  refusalAnswer,
} from './admission.js'
export { type EmbeddedGate, embeddedGate } from './embedded-gate.js'
export { type HeadersLike, type PermitCarrier, permitFromRequest } from './permit-carrier.js'
export { type KeysFrom, type PermitKeys, type PermitKeysOptions, permitKeys } from './permit-keys.js'
export {
  type Expected,
  type HmacPermitVerifierOptions,
  type PermitVerifier,
  type PermitVerifierOptions,
  permitVerifier,
  type RedeemedPermit,
  type Revocations,
  type SingleUse,
} from './permit-verifier.js'
export type { RedeemerOptions } from './redeemer.js'
export type { RevocationsFrom } from './revocation-poll.js'
export { type MemorySingleUseOptions, memorySingleUse, type SingleUseStore } from './single-use.js'
export { type PermitHandler, requirePermit, verifyRequest } from './web.js'
