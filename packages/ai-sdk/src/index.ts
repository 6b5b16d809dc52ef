/**
 * Gated Vercel AI SDK tools: a call pauses until a person approves it.
 *
 * @module
 */

// What users of a gated tool need beside it.
export { currentPermit, isGateRefusal, isSilentAuthError, terminalReporter } from '@silentauth/core'
export type { GateDataPart, GateNotice, GateWriter } from './announcement.js'
export type { ApprovalDescriptor } from './approval-descriptor.js'
export { type DescriptorOptions, withApprovalDescriptors } from './approval-stream.js'
export type { ApprovalQuestion, ApprovalStatus, GateApproval, OwnApproval } from './gate-approval.js'
export { type GateMiddleware, type GateMiddlewareOptions, gateMiddleware } from './gate-middleware.js'
export type { GateToolOptions } from './gate-options.js'
export { gateTool, type InputOf, isGated } from './gate-tool.js'
export { type GateRule, type GateToolsOptions, gateTools } from './gate-tools.js'
export type { HistoryMessage, HistoryPart } from './history.js'
export {
  type DecidedApproval,
  type PendingApproval,
  type ResolvedApprovals,
  type ResolveOptions,
  resolveApprovals,
} from './resolve-approvals.js'
export type { CallInfo, GateRun } from './tool-call.js'
export {
  type ChatMessage,
  type PendingChunk,
  pendingUIChunks,
  reconcileUIMessages,
  sanitizeClientMessages,
} from './ui-messages.js'
export { isWaitingOutput, type WaitingOutput } from './waiting-steps.js'
export { type GateableCall, type GatedSettings, withGate } from './with-gate.js'
