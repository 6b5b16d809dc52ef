/**
 * Secrets: project keys, sign-in tokens and the two halves of a session. Each is 256 random bits, so a plain SHA-256 of it
 * is what is stored; a slow hash would protect nothing more.
 *
 * @module
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { randomToken } from '@silentauth/core'

/** The prefix tells a secret scanner, and a person, what was leaked. */
const KEY = /^sk_[A-Za-z0-9_-]{43,128}$/
const TOKEN = /^[A-Za-z0-9_-]{43}$/

/** A new project key. */
export function newProjectKey(): `sk_${string}` {
  return `sk_${newSecret()}`
}

/** 256 random bits, base64url. */
export function newSecret(): string {
  return randomToken(32)
}

/** SHA-256, base64url: what is stored of a secret, and what it is looked up by. */
export function secretHash(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('base64url')
}

export function isProjectKey(text: string): boolean {
  return KEY.test(text)
}

/** Whether a text can be a secret of ours at all: what cannot is refused without asking the store. */
export function isSecret(text: string): boolean {
  return TOKEN.test(text)
}

/** Of two hashes, in constant time. */
export function sameHash(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}
