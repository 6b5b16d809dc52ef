/**
 * Secret shapes: the names and values by which passwords, tokens, keys, card and account numbers are recognised.
 *
 * @module
 */
import type { Json } from './json.js'

export function isSecretName(_member: string, _value: Json): boolean {
  return false
}
export function isSecretValue(_value: Json): boolean {
  return false
}
