/**
 * The gate over HTTP, for agents and scripts.
 *
 * @module
 */
export type { BackOff } from './back-off.js'
export type { ConnectionOptions } from './connection.js'
export type { ApprovalOptions, CreatedIntent, IntentRequest } from './created-intent.js'
export type { ExecutionLog, LoggedExecution } from './execution-log.js'
export type { IssuedPermit } from './issued-permit.js'
export type { PermitReport, ValidateOptions } from './permit-report.js'
export { SilentAuth, type SilentAuthOptions } from './silent-auth.js'
