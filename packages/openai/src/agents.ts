/**
 * Gated tools of the OpenAI Agents SDK: a call pauses until a person approves it.
 *
 * @module
 */

// What users of a gated tool need beside it.
export { currentPermit, isSilentAuthError, terminalReporter } from '@silentauth/core'
export { gateAgent } from './gate-agent.js'
export { type GateHandoffOptions, gateHandoff } from './gate-handoff.js'
export { gateHostedMcp, type HostedMcpApproval, type HostedMcpOptions } from './gate-hosted-mcp.js'
export {
  type GateMethodOptions,
  gateComputer,
  gateEditor,
  gateShell,
  type SuspendableMethodOptions,
} from './gate-methods.js'
export type { CallInfo, GateToolOptions } from './gate-options.js'
export { type ArgumentsOf, type ClientTool, gateAgentTool, gateTool, isGated } from './gate-tool.js'
export { type GateRule, type GateToolsOptions, gateTools } from './gate-tools.js'
export type { GatedStreamEvent, GateStreamEvent } from './gated-stream.js'
export { type GatedToolDefinition, type GatedToolOptions, gatedTool } from './gated-tool.js'
export type { PendingCall } from './pending-call.js'
export {
  type Interrupted,
  type ResolvedInterruptions,
  type ResolveOptions,
  resolveInterruptions,
} from './resolve-interruptions.js'
export { withGateRun } from './run-scope.js'
export {
  type ForeignAnswer,
  type GatedStream,
  type GateOutcome,
  type RunWithGateOptions,
  runWithGate,
  streamWithGate,
} from './run-with-gate.js'
export { type EnvelopeOptions, isSuspendedRun, type SuspendedRun } from './suspended-run.js'
