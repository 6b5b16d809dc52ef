/**
 * The result key of a gate: what seals recorded results, and nothing else. Without it a copy of the database shows none of them.
 *
 * @module
 */
import { z } from 'zod'
import type { DataFolder } from './data-folder.js'

export const RESULT_KEY_FILE = 'result-key.json'
const KEY_BYTES = 32
const keyForm = z.strictObject({ kty: z.literal('oct'), alg: z.literal('A256GCM'), k: z.string() })

/** Made on the first start: 256 random bits. @throws TypeError for a file that holds no such key */
export async function resultKey(folder: DataFolder): Promise<Uint8Array> {
  const stored = await folder.readOrMake(RESULT_KEY_FILE, () => {
    const made = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
    return { kty: 'oct', alg: 'A256GCM', k: Buffer.from(made).toString('base64url') }
  })
  const read = keyForm.safeParse(stored)
  const key = read.success ? Buffer.from(read.data.k, 'base64url') : undefined
  if (key?.length !== KEY_BYTES) throw new TypeError(`${folder.fileIn(RESULT_KEY_FILE)} holds no key for results`)
  return key
}
