/**
 * Recall: a call comes again whose result was recorded, and gets it back.
 *
 * @module
 */
import type { Engine } from './engine.js'
import type { Json } from './json.js'
import { type ResultSealer, unreadable } from './recorded-result.js'
import type { ProjectKey } from './registry.js'
import { type Attempt, requireRunningAgent, type State } from './state.js'
import type { Bench } from './vote.js'

/**
 * What was recorded, for the key and the execution that it was recorded by; undefined: nothing, for this caller.
 *
 * @throws SilentAuthError `RESULT_UNREADABLE`; `AGENT_PAUSED`, `AGENT_REVOKED`: nothing is handed to an agent that was stopped
 */
export async function recall(
  own: Engine,
  sealer: ResultSealer | undefined,
  state: State,
  asking: { readonly attempt: Attempt; readonly key: ProjectKey; readonly bench: Bench },
): Promise<{ readonly result: Json } | undefined> {
  const { projectId } = own
  const { execution, declaration } = state
  const intentId = declaration.id
  const { executionId } = asking.attempt
  if (execution.state !== 'succeeded' || execution.result === undefined) return undefined
  if (execution.holder?.executionId !== executionId) return undefined
  const stored = await own.store.recordedResult(projectId, intentId)
  if (!stored) return undefined
  if (!sealer) throw unreadable(intentId, 'this gate has no key for results')
  const place = { projectId, intentId, executionId, digest: execution.result.digest }
  const { lineage, result } = await sealer.open(stored, place)
  if (lineage !== asking.key.lineage) return undefined
  const { agent } = asking.bench
  if (agent && agent.status !== 'active') requireRunningAgent(state, asking.bench)
  return { result }
}
