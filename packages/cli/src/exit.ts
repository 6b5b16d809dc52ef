/**
 * Exit codes: how a command ended, for scripts.
 *
 * @module
 */

/** 1 is left to crashes, so that a script can tell "no" from "broken". */
export const EXIT = {
  ok: 0,
  refused: 12,
  usage: 64,
  unavailable: 69,
  signedOut: 77,
} as const

/** Of what is verified for auditors, where 1 says that something was tampered with. */
export const AUDIT_EXIT = { whole: 0, tampered: 1, usage: 2, incomplete: 3 } as const
