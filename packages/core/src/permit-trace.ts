/**
 * Permit traces: what a store remembers of each permit apart from its intent, for as long as a verifier somewhere could
 * accept it (P4). A revocation list is made from them without reading intents.
 *
 * @module
 */
import type { AgentId, IntentId, KeyId, PermitId, ProjectId } from './id.js'
import type { EpochMs } from './json.js'
import type { State } from './state.js'

export interface PermitTrace {
  readonly id: PermitId
  readonly projectId: ProjectId
  readonly intentId: IntentId
  /** Who declared it: the kill switch of any of these stops the permit, whatever its `sub` says. */
  readonly keyId: KeyId
  readonly agentId: AgentId | undefined
  readonly source: string | undefined
  readonly revoked: boolean
  /** A person took the whole approval back (E15). */
  readonly withdrawn: boolean
  /** From here on every verifier refuses it by its `exp`, however far its clock is off. */
  readonly expiresAt: EpochMs
  /** P4: `use_until` plus skew once it is revoked; until then it is of no use after `expiresAt`. */
  readonly keepUntil: EpochMs
}

/** What a store knows to be revoked at one moment. */
export interface StoredRevocations {
  /** Revoked, or of a key or an agent that is stopped; those that expire last come first. */
  readonly permits: readonly Pick<PermitTrace, 'id' | 'intentId' | 'withdrawn' | 'expiresAt'>[]
  /** Paused or revoked, in the order of their ids. */
  readonly agents: readonly AgentId[]
  /** Disabled, in the order of their ids. */
  readonly keys: readonly KeyId[]
}

export interface RevocationQuery {
  readonly projectId: ProjectId
  readonly now: EpochMs
  /** Of permits. */
  readonly limit: number
}

/** The largest skew that any verifier may allow. */
export const MAX_SKEW_MS = 60_000

/** Of every permit that the intent has had. */
export function permitTraces({ declaration, permits, useUntil = 0, execution }: State): readonly PermitTrace[] {
  const { projectId, id: intentId, keyId, agentId, source } = declaration
  return permits.map(({ id, exp, revokedAt }) => {
    const revoked = revokedAt !== undefined
    // Not minted yet (P6): it can end no later than the window.
    const expiresAt = (exp === undefined ? useUntil : exp * 1000) + MAX_SKEW_MS
    return {
      id,
      projectId,
      intentId,
      keyId,
      agentId,
      source,
      revoked,
      withdrawn: execution.withdrawnAt !== undefined,
      expiresAt,
      keepUntil: revoked ? Math.max(useUntil + MAX_SKEW_MS, expiresAt) : expiresAt,
    }
  })
}

/** Those that a change of the intent has made or moved. */
export function changedTraces(after: State, before: State | undefined): readonly PermitTrace[] {
  if (after.permits.length === 0) return []
  const earlier = new Map(before && permitTraces(before).map((trace) => [trace.id, trace]))
  return permitTraces(after).filter((trace) => {
    const known = earlier.get(trace.id)
    return (
      known === undefined ||
      known.revoked !== trace.revoked ||
      known.withdrawn !== trace.withdrawn ||
      known.expiresAt !== trace.expiresAt ||
      known.keepUntil !== trace.keepUntil
    )
  })
}

/** By which a store finds the permits that a kill switch stops. */
export interface Stopped {
  readonly keys: ReadonlySet<string>
  readonly agents: ReadonlySet<string>
  readonly fingerprints: ReadonlySet<string>
}

/** Whether the trace belongs on a list: a bound agent counts by its id, another by the fingerprint that it sent. */
export function isStopped(trace: Pick<PermitTrace, 'keyId' | 'agentId' | 'source'>, stopped: Stopped): boolean {
  if (stopped.keys.has(trace.keyId)) return true
  if (trace.agentId !== undefined) return stopped.agents.has(trace.agentId)
  return trace.source !== undefined && stopped.fingerprints.has(trace.source)
}
