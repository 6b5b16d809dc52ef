/**
 * Gated LangChain.js tools: a call pauses until a person approves it.
 *
 * @module
 */

// What users of a gated tool need beside it.
export { currentPermit, isGateRefusal, isSilentAuthError, terminalReporter } from '@silentauth/core'
export type { GateStreamEvent } from './announcement.js'
export type { GateToolOptions } from './gate-options.js'
export { type ArgumentsOf, type ClientTool, gateTool, isGated } from './gate-tool.js'
export { type GateRule, type GateToolsOptions, gateTools } from './gate-tools.js'
export type { CallInfo } from './tool-call.js'
