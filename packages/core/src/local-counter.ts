/**
 * The counter over a store: what a verifier's credential may ask of the gate.
 *
 * @module
 */
import { canonicalJson } from './canonical-json.js'
import { isStorableText } from './comment.js'
import type { Counter } from './counter.js'
import type { Engine } from './engine.js'
import { SilentAuthError } from './errors.js'
import { executionState } from './execution.js'
import type { Json, JsonObject } from './json.js'
import type { KeyRing } from './key-ring.js'
import { ownersOf } from './ownership.js'
import { snapshot } from './params.js'
import { readPermit } from './permit.js'
import { MAX_LIFETIME_SECONDS, type PermitClaims } from './permit-claims.js'
import { permitClaimsOf } from './public-intent.js'
import type { KeyPrincipal, ProjectKey } from './registry.js'
import type { LivingLog } from './release.js'
import { summaryOf } from './result-summary.js'
import type { Signer } from './signer.js'
import { type PermitRecord, requireRunningAgent, type State } from './state.js'

interface CounterOptions {
  readonly engine: Engine
  readonly issuer: string
  readonly signer: Signer
  /** Undefined for an hs256 project. */
  readonly keys: KeyRing | undefined
  readonly log?: LivingLog | undefined
}

export function localCounter({ engine: own, issuer, keys, log }: CounterOptions): Counter {
  /** Signature, times and bindings; then the stored permit must say the very same. */
  const open = async (
    request: { token: string; action: string; audience: string },
    params: { params: JsonObject } | { paramsDigest: string },
  ): Promise<{ claims: PermitClaims; state: State; permit: PermitRecord }> => {
    if (keys === undefined) {
      throw new SilentAuthError('FORBIDDEN', 'permits of an hs256 project are verified with its secret, offline')
    }
    const now = await own.store.now()
    const { claims } = await readPermit(request.token, {
      keys,
      issuer,
      projectId: own.projectId,
      action: request.action,
      audience: request.audience,
      maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
      now: () => now,
    })
    const digest = 'params' in params ? snapshot(params.params).digest : params.paramsDigest
    if (claims.params_digest !== digest) {
      throw new SilentAuthError('PERMIT_PARAMS', `${claims.intent_id}: the params are not the approved ones`, {
        intentId: claims.intent_id,
      })
    }
    const { state } = await own.read(claims.intent_id)
    return { claims, state, permit: storedPermit(state, claims, issuer) }
  }

  return {
    async verify(principal, request) {
      await verifierKey(own, principal)
      const { claims, state, permit } = await open(request, { params: request.params })
      if (permit.revokedAt !== undefined) throw revoked(state)
      const facts = await own.facts(own.store, state.declaration)
      requireRunningAgent(state, { agent: facts.agent, key: facts.key })
      return claims
    },

    async redeem(principal, request) {
      const key = await verifierKey(own, principal)
      if (!isStorableText(request.redemptionId, 256) || request.redemptionId.length < 16) {
        throw new SilentAuthError('INVALID_FIELD', 'redemption_id must be 128 random bits', { field: 'redemption_id' })
      }
      const { claims } = await open(request, { paramsDigest: request.paramsDigest })
      const { replayed } = await own.change(claims.intent_id, async ({ tx, judgement }) => {
        await log?.requireWhole(tx)
        return {
          command: {
            type: 'redeem',
            redemptionId: request.redemptionId,
            permitId: claims.jti,
            by: key.id,
            idempotent: request.idempotent ?? false,
            bench: judgement.bench,
          },
          actor: `key:${key.id}`,
        }
      })
      return { replayed: replayed ?? false }
    },

    async logExecution(principal, report) {
      const key = await own.key(own.store, principal)
      if (report.status !== 'succeeded' && report.status !== 'failed') {
        throw new SilentAuthError('INVALID_FIELD', 'status is neither succeeded nor failed', { field: 'status' })
      }
      const id = await own.store.intentByPermit(report.permitId)
      if (!id) throw unknownPermit()
      const { state } = await own.change(id, async ({ state }) => {
        const mine = ownersOf(key).includes(state.declaration.owner)
        const verifier = key.kind === 'verifier'
        if (state.declaration.projectId !== key.projectId || !(verifier || mine)) throw unknownPermit()
        return {
          command: { type: 'log_execution', by: verifier ? 'verifier' : 'agent', status: report.status },
          actor: `key:${key.id}`,
          values: summaryValues(report.result),
        }
      })
      return { ...executionState(state), intentId: id }
    },
  }
}

/** A verifier key, or the only key of the project: somebody who runs one agent and one backend has one key. */
async function verifierKey(own: Engine, principal: KeyPrincipal): Promise<ProjectKey> {
  const key = await own.key(own.store, principal)
  if (key.kind === 'verifier') return key
  const active = (await own.store.keys(own.projectId)).filter(({ status }) => status === 'active')
  if (active.length === 1) return key
  throw new SilentAuthError('FORBIDDEN', `key ${key.id} is no verifier key`)
}

/** A forged claim set under a stolen signing key must still match what the gate stored for that permit. */
function storedPermit(state: State, claims: PermitClaims, issuer: string): PermitRecord {
  const permit = state.permits.find(({ id }) => id === claims.jti)
  if (permit?.iat === undefined) throw revoked(state)
  const stored = permitClaimsOf(state, permit, issuer)
  const intentId = state.declaration.id
  if (canonicalJson(stored) !== canonicalJson(claims))
    throw new SilentAuthError('PERMIT_CLAIMS', `${intentId}: the permit is not the stored one`, { intentId })
  return permit
}

function revoked(state: State): SilentAuthError {
  const intentId = state.declaration.id
  return new SilentAuthError('PERMIT_REVOKED', `${intentId}: the permit is not live`, { intentId })
}

function summaryValues(result: Json | undefined): Readonly<Record<string, Json>> {
  const summary = summaryOf(result)
  return summary ? { result: { digest: summary.digest, bytes: summary.bytes } } : {}
}

function unknownPermit(): SilentAuthError {
  return new SilentAuthError('NOT_FOUND', 'no permit of this project has this id')
}
