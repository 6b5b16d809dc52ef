/**
 * The execution log: what a script or a backend says of a permit that it used.
 *
 * @module
 */
import type { ExecutionStatus, IntentId, Json, PermitId } from '@silentauth/core'
import { executionIn } from './gate-data.js'
import { type BothSpellings, bothSpellings, type EitherSpelling, inCamelCase } from './spelling.js'
import type { Transport } from './transport.js'

export interface ExecutionLog {
  readonly permitId: PermitId | string
  readonly status: 'completed' | 'succeeded' | 'failed'
  /** The gate keeps its digest and size. */
  readonly result?: Json | undefined
}

interface LoggedMembers {
  readonly intentId: IntentId
  readonly state: ExecutionStatus
  /** Whose report counts: the backend's outranks the agent's. */
  readonly reportedBy: 'agent' | 'verifier' | 'person' | undefined
  /** Two reports contradict each other. */
  readonly disputed: boolean
}
export type LoggedExecution = BothSpellings<LoggedMembers>

/** @throws TypeError for unknown members, and for two spellings of one */
export async function logExecution(
  transport: Transport,
  log: EitherSpelling<ExecutionLog>,
  signal: AbortSignal | undefined,
): Promise<LoggedExecution> {
  const { permitId, status, result } = inCamelCase<ExecutionLog>(log, ['permitId', 'status', 'result'])
  for (const [name, value] of Object.entries({ permitId, status })) {
    if (typeof value !== 'string') throw new TypeError(`logExecution: ${name} is required`)
  }
  const body = { permit_id: permitId, status, ...(result !== undefined && { result }) }
  const { data } = await transport.send({ method: 'POST', path: '/api/executions', body }, { signal })
  const { intentId, state, reportedBy, disputed } = executionIn(data)
  return bothSpellings({ intentId, state, reportedBy, disputed })
}
