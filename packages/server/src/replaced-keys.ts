/**
 * Replaced keys: what signed permits here until it was rotated. Only their public halves are kept, and shown, until the last permit
 * that they signed is over.
 *
 * @module
 */
import type { EpochMs, PublicJwk } from '@silentauth/core'
import { z } from 'zod'
import type { DataFolder } from './data-folder.js'

const REPLACED_FILE = 'replaced-keys.json'
const replacedForm = z.strictObject({
  keys: z.array(z.strictObject({ jwk: z.looseObject({ kid: z.string() }), until: z.int() })),
})

/** The longest life of a permit, and the largest skew that a verifier may allow. */
const SHOWN_MS = 3_600_000 + 60_000

/** Those that may still have signed a permit which is good. */
export async function replacedKeys(folder: DataFolder, now: EpochMs = Date.now()): Promise<readonly PublicJwk[]> {
  const { keys } = await read(folder)
  return keys.filter(({ until }) => until > now).map(({ jwk }) => jwk as unknown as PublicJwk)
}

/** @param jwk of the key that signs no more */
export async function addReplacedKey(folder: DataFolder, jwk: PublicJwk, now: EpochMs = Date.now()): Promise<void> {
  const { keys } = await read(folder)
  const others = keys.filter((key) => key.until > now && key.jwk.kid !== jwk.kid)
  await folder.write(REPLACED_FILE, { keys: [...others, { jwk, until: now + SHOWN_MS }] })
}

/** None of them is trusted any more. */
export async function forgetReplacedKeys(folder: DataFolder): Promise<void> {
  await folder.write(REPLACED_FILE, { keys: [] })
}

async function read(folder: DataFolder): Promise<z.infer<typeof replacedForm>> {
  const stored = await folder.read(REPLACED_FILE)
  return stored === undefined ? { keys: [] } : replacedForm.parse(stored)
}
