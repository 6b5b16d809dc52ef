/**
 * What a function refused with, for tests that look at code and field together.
 *
 * @module
 */
import { isSilentAuthError, type SilentAuthError } from '../src/errors.js'

/** Undefined when nothing was refused; any other error is thrown on. */
export function refusalOf(run: () => unknown): SilentAuthError | undefined {
  try {
    run()
  } catch (error) {
    if (isSilentAuthError(error)) return error
    throw error
  }
  return undefined
}
