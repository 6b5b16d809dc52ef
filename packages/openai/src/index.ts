/**
 * Gated functions for the plain `openai` client: a call pauses until a person approves it.
 *
 * @module
 */

// What users of a gated function need beside it.
export { currentPermit, isSilentAuthError, terminalReporter } from '@silentauth/core'
export { gateMcpApproval, type McpApprovalRequest, type McpGateOptions } from './gate-mcp-approval.js'
export { gateRunnableTool, type RunnableTool } from './gate-runnable-tool.js'
export { gateRunnerFunction, type RunnerFunctionLike } from './gate-runner-function.js'
export type { PlainCallInfo, PlainGateOptions } from './plain-options.js'
export {
  type FunctionCallOutput,
  type GatedFunction,
  type GatedFunctions,
  type PendingFunctionCall,
  type SettleOptions,
  settleFunctionCalls,
  settleToolCalls,
  type ToolMessage,
} from './settle-calls.js'
