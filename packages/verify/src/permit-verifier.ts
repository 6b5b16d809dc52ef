/**
 * The permit verifier of a backend: every check of a permit against what is about to be executed, then its single use.
 *
 * @module
 */
import {
  type Digest,
  defaultAudience,
  type EpochMs,
  type HmacClaims,
  type HmacKeyRing,
  type IntentId,
  isSilentAuthError,
  type KeyRing,
  type PermitClaims,
  type PermitDemands,
  type Revocable,
  readPermit,
  SilentAuthError,
  snapshot,
  type VerifiedPermit,
  type VerifyOptions,
  verifyPermit,
} from '@silentauth/core'
import { paramsDifference } from './params-difference.js'
import { type KeysFrom, type PermitKeys, type PermitKeysOptions, permitKeys } from './permit-keys.js'
import { type Redeemer, type RedeemerOptions, redeemer } from './redeemer.js'
import { type RevocationsFrom, revocationPoll } from './revocation-poll.js'
import { memorySingleUse, type SingleUseStore } from './single-use.js'

interface CommonOptions
  extends Omit<PermitDemands, 'subject'>,
    Pick<VerifyOptions, 'paramsLimits' | 'requireProof' | 'verifyProof'> {
  /** The project whose permits count here. */
  readonly projectId: string
  /** This backend. @default `urn:silentauth:<project_id>:<action>`, as the gate's own default */
  readonly audience?: string
  /**
   * Must be stated: where the gate's signed revocation lists come from, so that a withdrawn approval or a stopped agent is
   * refused here within 120 s plus skew, and everything once there is no current list. Or `off`: then it is noticed only with
   * `gate`, and otherwise not before the permit expires.
   */
  readonly revocations: RevocationsFrom | 'off'
  /** After `PERMIT_PARAMS`, names the members that differ, never values. @default unless `NODE_ENV` is `production` */
  readonly explain?: boolean
}

interface LocalUse {
  /** A store that all processes of this backend share; or `per-process`: every process accepts an approval once. */
  readonly singleUse: SingleUseStore | 'per-process'
  readonly gate?: undefined
}
interface GateUse {
  /** The gate is asked about each permit, and keeps single use over all backends. */
  readonly gate: RedeemerOptions
  readonly singleUse?: undefined
}

export type PermitVerifierOptions = CommonOptions &
  (LocalUse | GateUse) & {
    /** A key set, the path of a `public.jwks.json`, or the URL of the gate's `/.well-known/jwks.json`. */
    readonly keys: KeysFrom
    readonly profile?: 'v1'
    /** How the keys are kept current. */
    readonly keyOptions?: PermitKeysOptions
  }

/** The HS256 profile: single-tenant, offline, and whoever can verify can also sign. */
export type HmacPermitVerifierOptions = CommonOptions &
  LocalUse & {
    /** `secretRing(secret)` */
    readonly keys: HmacKeyRing
    readonly profile: 'hs256'
    /** Accepts also permits that say only intent_id, action, risk_tier, iat, exp: good for any params at any backend. @default false */
    readonly unboundParams?: boolean
  }

/** What is about to be executed. */
export interface Expected<Action extends string = string> {
  readonly action: Action
  /** The very params that will be executed. */
  readonly params: unknown
  /** @default that of the verifier */
  readonly audience?: string | undefined
  /** Who presents it, where the caller was authenticated: a permit of anybody else (its `sub`) is refused. @default not compared */
  readonly subject?: string | undefined
  /** The action may run again, with the intent id as its idempotency key: a second use is handed on as `replayed`. @default false */
  readonly idempotent?: boolean | undefined
}

/** A verified permit, used by this very call. What was not checked can be read from it. */
export type RedeemedPermit<Action extends string = string, Claims extends HmacClaims = PermitClaims> = VerifiedPermit<
  Action,
  Claims
> & {
  readonly intentId: IntentId
  /** True only with `idempotent`: the approval was used before. */
  readonly replayed: boolean
  readonly singleUse: SingleUse
  readonly revocations: Revocations
  /** When the revocation list that was looked at was signed; undefined without one. */
  readonly revocationsAt: EpochMs | undefined
}

/** Where the use was marked. */
export type SingleUse = SingleUseStore['scope'] | 'gate'
/** `gate`: it looked at the intent as it was in that moment. `checked`: a current list did not name the permit. */
export type Revocations = 'off' | 'checked' | 'gate'

export interface PermitVerifier<Claims extends HmacClaims = PermitClaims> extends AsyncDisposable {
  readonly issuer: string
  readonly projectId: string
  readonly singleUse: SingleUse
  readonly revocations: Revocations
  /**
   * All checks, then marks the approval as used, before anything is executed: of two concurrent calls one wins, and after a
   * crash it stays used.
   *
   * @throws SilentAuthError the first failing `PERMIT_*`, last of them `PERMIT_REPLAYED`; `PARAMS_NOT_CANONICAL`;
   * `GATE_UNAVAILABLE` without keys, without a current revocation list, or without the gate; `DB_ERROR`, `RATE_LIMITED` of the single-use store
   */
  verify<const Action extends string>(
    token: string,
    expected: Expected<Action>,
  ): Promise<RedeemedPermit<Action, Claims>>
}

/**
 * @throws TypeError when a choice that must be made was not, and for options that could turn a check off
 * @throws SilentAuthError `KEY_REJECTED` for a static key set
 */
export function permitVerifier(options: PermitVerifierOptions): PermitVerifier
export function permitVerifier(options: HmacPermitVerifierOptions): PermitVerifier<HmacClaims>
export function permitVerifier(options: PermitVerifierOptions | HmacPermitVerifierOptions): PermitVerifier {
  const { issuer, projectId } = options
  requireChoices(options)
  const keys = keysOf(options)
  const { take, scope, close } = useOf(options)
  const poll =
    options.revocations === 'off'
      ? undefined
      : revocationPoll(options.revocations, { ...options, permitKeys: permitKeysOf(options, keys) })
  const revocations = scope === 'gate' ? 'gate' : poll ? 'checked' : 'off'
  const explains = options.explain ?? globalThis.process?.env?.NODE_ENV !== 'production'

  return {
    issuer,
    projectId,
    singleUse: scope,
    revocations,
    async verify<const Action extends string>(token: string, expected: Expected<Action>) {
      const { action, params, subject, idempotent = false } = expected
      const audience = expected.audience ?? options.audience ?? defaultAudience(projectId, action)
      let revocationsAt: EpochMs | undefined
      const isRevoked = poll && {
        async isRevoked(of: Revocable) {
          const { revoked, listAt } = await poll.look(of)
          revocationsAt = listAt
          return revoked
        },
      }
      const exact = { ...demandsOf(options), ...isRevoked, action, audience, subject }
      const permit = await keys
        .with((ring) => verifyPermit(token, { ...exact, params, keys: ring } as VerifyOptions<Action>))
        .catch(async (error: unknown) => {
          if (!explains || !isSilentAuthError(error) || error.code !== 'PERMIT_PARAMS') throw error
          const { claims } = await keys.with((ring) => readPermit(token, { ...exact, keys: ring }))
          throw explained(error, params, claims.params_digest)
        })
      const use: Use = { token, claims: permit.claims, audience, idempotent }
      const replayed = await take(use)
      const redeemed = {
        ...permit,
        intentId: permit.claims.intent_id,
        replayed,
        singleUse: scope,
        revocations,
        revocationsAt,
      }
      return Object.freeze(redeemed) as RedeemedPermit<Action>
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([keys[Symbol.asyncDispose](), poll?.[Symbol.asyncDispose](), close()])
    },
  }
}

/** No default is right for everybody, and a wrong one would only be noticed after the damage. */
function requireChoices(options: PermitVerifierOptions | HmacPermitVerifierOptions): void {
  const { issuer, projectId, singleUse, gate, revocations } = options
  for (const [name, value] of Object.entries({ issuer, projectId })) {
    if (typeof value !== 'string' || value === '') throw new TypeError(`${name} is required`)
  }
  if (revocations !== 'off' && (typeof revocations !== 'object' || revocations === null)) {
    throw new TypeError("revocations is required: { url, keys } of the gate's signed list; or 'off'")
  }
  if (singleUse === undefined && gate === undefined) {
    throw new TypeError(
      "singleUse is required: a store that all processes share, or 'per-process'; or `gate`, which keeps it for all backends",
    )
  }
  if (singleUse !== undefined && gate !== undefined) {
    throw new TypeError('singleUse and gate exclude each other: with `gate`, the gate keeps single use')
  }
  if (options.profile === 'hs256' && gate !== undefined) {
    throw new TypeError("permits of profile 'hs256' are verified offline: the gate cannot be asked about them")
  }
}

/** What core's verifiers demand of every permit. Of the two profiles only one is named here; the ring must be of the same. */
function demandsOf(options: PermitVerifierOptions | HmacPermitVerifierOptions) {
  const { keys: _, singleUse: __, gate: ___, revocations: ____, explain: _____, ...demands } = options
  return demands as Omit<VerifyOptions, 'keys' | 'params' | 'action' | 'audience'>
}

function keysOf(options: PermitVerifierOptions | HmacPermitVerifierOptions): PermitKeys<KeyRing | HmacKeyRing> {
  if (options.profile !== 'hs256') return permitKeys(options.keys, { now: options.now, ...options.keyOptions })
  const ring = options.keys
  return { with: (work) => work(ring), current: async () => ring, async [Symbol.asyncDispose]() {} }
}

/** undefined: a secret, which no list is signed with. */
function permitKeysOf(
  options: PermitVerifierOptions | HmacPermitVerifierOptions,
  keys: PermitKeys<KeyRing | HmacKeyRing>,
): (() => Promise<KeyRing>) | undefined {
  return options.profile === 'hs256' ? undefined : () => keys.current() as Promise<KeyRing>
}

interface Use {
  readonly token: string
  readonly claims: PermitClaims
  readonly audience: string
  readonly idempotent: boolean
}

interface UseTaker {
  readonly scope: SingleUse
  /** Marks the use. @returns whether it was marked before */
  take(use: Use): Promise<boolean>
  close(): Promise<void>
}

function useOf(options: PermitVerifierOptions | HmacPermitVerifierOptions): UseTaker {
  if (options.gate !== undefined) return useAtGate(redeemer(options.gate))
  const { singleUse, issuer, now } = options
  return useInStore(singleUse === 'per-process' ? memorySingleUse({ now }) : singleUse, issuer)
}

function useAtGate(gate: Redeemer): UseTaker {
  return {
    scope: 'gate',
    async take({ token, claims, audience, idempotent }) {
      const { intent_id: intentId, action, params_digest: paramsDigest } = claims
      const { replayed } = await gate.redeem({ token, intentId, action, paramsDigest, audience, idempotent })
      return refuseReplay(replayed, intentId, idempotent)
    },
    close: async () => gate[Symbol.asyncDispose](),
  }
}

function useInStore(store: SingleUseStore, issuer: string): UseTaker {
  if (store.scope !== 'shared' && store.scope !== 'per-process') {
    throw new TypeError("a single-use store says its scope: 'shared' or 'per-process'")
  }
  return {
    scope: store.scope,
    async take({ claims, idempotent }) {
      const { intent_id: intentId, iss = issuer, use_until: useUntil = claims.exp } = claims
      let first: unknown
      try {
        // An intent id has no space in it, so no two pairs make one key.
        first = await store.take(`${intentId} ${iss}`, keepUntil(useUntil))
      } catch (cause) {
        if (isSilentAuthError(cause)) throw cause
        throw new SilentAuthError('DB_ERROR', `${intentId}: its use could not be marked`, { cause, intentId })
      }
      if (typeof first !== 'boolean') throw new TypeError('a single-use store answers true or false')
      return refuseReplay(!first, intentId, idempotent)
    },
    async close() {},
  }
}

/** The largest skew that any verifier may allow: one that shares the store may allow more than this one. */
const MAX_SKEW_SECONDS = 60

function keepUntil(useUntilSeconds: number): EpochMs {
  return (useUntilSeconds + MAX_SKEW_SECONDS) * 1000
}

function refuseReplay(replayed: boolean, intentId: IntentId, idempotent: boolean): boolean {
  if (replayed && !idempotent) {
    throw new SilentAuthError('PERMIT_REPLAYED', `${intentId}: was used before`, { intentId })
  }
  return replayed
}

function explained(error: SilentAuthError, params: unknown, approved: Digest): SilentAuthError {
  const differences = paramsDifference(snapshot(params).value, approved)
  if (differences.length === 0) return error
  return new SilentAuthError('PERMIT_PARAMS', `the permit is for other params: ${differences.join('; ')}`, {
    cause: error,
    field: error.field ?? 'params_digest',
  })
}
