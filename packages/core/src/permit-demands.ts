/**
 * Demands: what a verifier expects of a permit, read once and checked, so that no option can turn a check off by being undefined,
 * NaN or of another type.
 *
 * @module
 */
import type { Via } from './intent.js'
import type { EpochMs } from './json.js'
import { type HmacKeyRing, indexOf, type KeyRing, type RingIndex } from './key-ring.js'
import { type ClaimSet, isText, MAX_LIFETIME_SECONDS } from './permit-claims.js'
import type { RiskTier } from './risk.js'

/** What a verifier may demand beyond a genuine, current permit. */
export interface PermitDemands {
  /** The gate, compared exactly. */
  readonly issuer: string
  /** `sub`, when only one presenter is expected. */
  readonly subject?: string | undefined
  /** @default Date.now */
  readonly now?: (() => EpochMs) | undefined
  /** Of the clocks, at most 60. @default 5 */
  readonly skewSeconds?: number | undefined
  /** Of `exp - iat`, at most 3600. @default 300 */
  readonly maxLifetimeSeconds?: number | undefined
  /** Refuses what a policy approved by itself. @default false */
  readonly requireHuman?: boolean | undefined
  /** The channels that count here, for every approval. Policy's own decisions have none: say `requireHuman` too. @default all */
  readonly allowedVia?: (readonly Via[] | ((tier: RiskTier) => readonly Via[])) | undefined
}

/** Demands, read once and checked. */
export interface Expected {
  readonly ring: RingIndex
  readonly set: ClaimSet
  readonly issuer: string
  readonly projectId: string | undefined
  readonly audience: string | undefined
  readonly subject: string | undefined
  readonly action: string | undefined
  readonly now: number
  readonly skew: number
  readonly maxLifetime: number
  readonly requireHuman: boolean
  readonly requireProof: boolean
  readonly allowedVia: PermitDemands['allowedVia']
}

export interface ExpectedInput extends PermitDemands {
  readonly keys: KeyRing | HmacKeyRing
  readonly profile?: 'v1' | 'hs256' | undefined
  readonly unboundParams?: boolean | undefined
  readonly projectId?: string | undefined
  readonly audience?: string | undefined
  readonly action?: string | undefined
  readonly requireProof?: boolean | undefined
}

/** @throws TypeError for an option that could turn a check off by being undefined, NaN or of another type */
export function expectedOf(options: ExpectedInput): Expected {
  const { profile = 'v1', now = Date.now, skewSeconds = 5, maxLifetimeSeconds = 300 } = options
  const unboundParams = trueOrFalse(options.unboundParams, 'unboundParams')
  if (profile !== 'v1' && profile !== 'hs256') throw new TypeError("profile is 'v1' or 'hs256'")
  if (unboundParams && profile !== 'hs256') throw new TypeError("unboundParams goes with profile 'hs256' only")
  if (!isText(options.issuer)) throw new TypeError('issuer is required')
  const at = now()
  if (!Number.isFinite(at)) throw new TypeError('now() must give epoch milliseconds')
  return {
    ring: indexOf(options.keys, profile),
    set: profile === 'v1' ? 'v1' : unboundParams ? 'unbound' : 'hs256',
    issuer: options.issuer,
    projectId: optionalText(options.projectId, 'projectId'),
    audience: optionalText(options.audience, 'audience'),
    subject: optionalText(options.subject, 'subject'),
    action: optionalText(options.action, 'action'),
    now: Math.floor(at / 1000),
    skew: wholeNumber(skewSeconds, 0, 60, 'skewSeconds'),
    maxLifetime: wholeNumber(maxLifetimeSeconds, 1, MAX_LIFETIME_SECONDS, 'maxLifetimeSeconds'),
    requireHuman: trueOrFalse(options.requireHuman, 'requireHuman'),
    requireProof: trueOrFalse(options.requireProof, 'requireProof'),
    allowedVia: channels(options.allowedVia),
  }
}

/** For the verifiers alone: what must be compared is there, or it is a TypeError rather than a check that did not happen. */
export function fullyExpected(options: ExpectedInput): Expected {
  for (const name of ['projectId', 'action', 'audience'] as const) {
    if (!isText(options[name])) throw new TypeError(`${name} is required`)
  }
  return expectedOf(options)
}

function optionalText(value: unknown, name: string): string | undefined {
  if (value !== undefined && !isText(value)) throw new TypeError(`${name} is a text`)
  return value
}

/** A text such as 'true' would read as a demand and be none. */
function trueOrFalse(value: unknown, name: string): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw new TypeError(`${name} is true or false`)
  return value === true
}

function channels(given: PermitDemands['allowedVia']): PermitDemands['allowedVia'] {
  return given === undefined || typeof given === 'function' ? given : channelList(given)
}

/** Nothing would allow every channel, and a text would be searched for parts of it. */
export function channelList(channels: readonly Via[]): readonly Via[] {
  if (!Array.isArray(channels)) throw new TypeError('allowedVia is a list of channels, or a function that gives one')
  return channels
}

function wholeNumber(value: number, least: number, most: number, name: string): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new TypeError(`${name} must be a whole number from ${least} to ${most}`)
  }
  return value
}
