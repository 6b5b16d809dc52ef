/**
 * Params: the arguments of an action as one frozen snapshot. What is shown, digested, approved and executed is this one object.
 *
 * @module
 */
import { type CanonicalCopy, type CanonicalRules, canonicalCopy } from './canonical-json.js'
import { digestOf } from './digest.js'
import { SilentAuthError } from './errors.js'
import type { Digest, Json, JsonObject } from './json.js'

export interface Snapshot {
  /** RFC 8785 text; the digest is of its UTF-8. */
  readonly canonical: string
  /** Deep-frozen, made in the walk that made the text. Execute this, never the object that was passed in. */
  readonly value: JsonObject
  readonly digest: Digest
}

export interface ParamsLimits {
  /** Of the canonical text in UTF-8. At most 262,144. @default 65_536 */
  readonly maxBytes?: number | undefined
  /** Containers within containers, the root included. At most 64. @default 32 */
  readonly maxDepth?: number | undefined
  /** Members of all objects together. At most 10,000. @default 1_000 */
  readonly maxKeys?: number | undefined
}

/**
 * The frozen canonical copy of `params`: a plain object of plain JSON data. Refused are, among others, undefined, NaN, -Infinity,
 * integers beyond 2^53-1, lone surrogates, U+0000, names that need escaping, `__proto__`, class instances, symbols, cycles.
 *
 * @throws SilentAuthError `PARAMS_NOT_CANONICAL` with the JSON pointer in `field`, never the value; TypeError for limits beyond the caps
 */
export function snapshot(params: unknown, limits?: ParamsLimits): Snapshot {
  const { text, value } = canonicalParams(params, limits)
  return Object.freeze({ canonical: text, value, digest: digestOf(text) })
}

/** Snapshot without digest, for where SHA-256 is to be had only asynchronously. */
export function canonicalParams(
  params: unknown,
  limits?: ParamsLimits,
): CanonicalCopy & { readonly value: JsonObject } {
  const copy = canonicalCopy(params, rulesOf(limits))
  if (copy.value === null || typeof copy.value !== 'object' || Array.isArray(copy.value)) {
    throw new SilentAuthError('PARAMS_NOT_CANONICAL', 'the whole: params must be an object', { field: '' })
  }
  return copy as CanonicalCopy & { readonly value: JsonObject }
}

export type MutableJson = null | boolean | number | string | MutableJson[] | MutableJsonObject
export interface MutableJsonObject {
  [member: string]: MutableJson
}

/** For tools that write to their input: a deep copy of a snapshot's value that nothing else refers to. */
export function mutableCopy(value: JsonObject): MutableJsonObject
export function mutableCopy(value: Json): MutableJson
export function mutableCopy(value: Json): MutableJson {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => mutableCopy(item))
  const copy: MutableJsonObject = {}
  for (const [member, item] of Object.entries(value as JsonObject)) copy[member] = mutableCopy(item)
  return copy
}

const DEFAULTS: CanonicalRules = { maxBytes: 65_536, maxDepth: 32, maxKeys: 1_000, profile: 'params' }
const CAPS = { maxBytes: 262_144, maxDepth: 64, maxKeys: 10_000 } as const

function rulesOf(limits: ParamsLimits | undefined): CanonicalRules {
  if (limits === undefined) return DEFAULTS
  return {
    maxBytes: limitOf(limits, 'maxBytes'),
    maxDepth: limitOf(limits, 'maxDepth'),
    maxKeys: limitOf(limits, 'maxKeys'),
    profile: 'params',
  }
}

function limitOf(limits: ParamsLimits, name: keyof ParamsLimits): number {
  const limit = limits[name] ?? DEFAULTS[name]
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > CAPS[name]) {
    throw new TypeError(`${name} must be a whole number from 1 to ${CAPS[name]}`)
  }
  return limit
}
