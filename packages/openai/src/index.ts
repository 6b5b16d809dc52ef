/**
 * Gated functions for the plain `openai` client: a call pauses until a person approves it.
 *
 * @module
 */
export { currentPermit, isSilentAuthError, terminalReporter } from '@silentauth/core'
