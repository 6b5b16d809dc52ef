/**
 * Gated tools of the OpenAI Agents SDK: a call pauses until a person approves it.
 *
 * @module
 */

// What users of a gated tool need beside it.
export { currentPermit, isSilentAuthError, terminalReporter } from '@silentauth/core'
export type { CallInfo, GateToolOptions } from './gate-options.js'
export { type ArgumentsOf, type ClientTool, gateTool, isGated } from './gate-tool.js'
export { type GateRule, type GateToolsOptions, gateTools } from './gate-tools.js'
