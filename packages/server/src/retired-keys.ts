/**
 * Retired keys: what signed permits here once and is trusted no more. Their `kid`s stand in every revocation list, and a shared
 * secret that was retired is not taken again.
 *
 * @module
 */
import { digestOf, type PublicAlg } from '@silentauth/core'
import { z } from 'zod'
import type { DataFolder } from './data-folder.js'
import { forgetReplacedKeys, replacedKeys } from './replaced-keys.js'
import { PERMIT_KEY_FILE } from './signing-key.js'

const RETIRED_FILE = 'retired-keys.json'
const retiredForm = z.strictObject({
  kids: z.array(z.string()),
  secrets: z.array(z.string()),
  /** Of the log, which the last restore opened that was accepted with this folder. */
  epoch: z.int().default(0),
})
const keyForm = z.object({ kid: z.string(), alg: z.enum(['RS256', 'ES256', 'EdDSA']) })
export type RetiredKeys = z.infer<typeof retiredForm>

export async function retiredKeys(folder: DataFolder): Promise<RetiredKeys> {
  const stored = await folder.read(RETIRED_FILE)
  return stored === undefined ? { kids: [], secrets: [], epoch: 0 } : retiredForm.parse(stored)
}

/**
 * Whoever retires a permit key makes the next one. A secret is the operator's: another one must be given.
 *
 * @returns the algorithm of the key that was there; undefined: none, also where there is a shared secret
 */
export async function retirePermitKey(
  folder: DataFolder,
  executionSecret: string | undefined,
): Promise<PublicAlg | undefined> {
  const before = await retiredKeys(folder)
  const stored = keyForm.safeParse(await folder.read(PERMIT_KEY_FILE))
  // Those before it too: what they signed is as old as what it signed.
  const replaced = (await replacedKeys(folder, 0)).map(({ kid }) => kid)
  const own = stored.success ? [stored.data.kid] : []
  const kids = [...new Set([...before.kids, ...replaced, ...own])]
  const secrets =
    executionSecret === undefined ? before.secrets : [...new Set([...before.secrets, digestOf(executionSecret)])]
  // First this: a key that is gone and not on the list would be trusted by whoever pinned it.
  await folder.write(RETIRED_FILE, { ...before, kids, secrets })
  await forgetReplacedKeys(folder)
  await folder.remove(PERMIT_KEY_FILE)
  return stored.success ? stored.data.alg : undefined
}

/** What this folder signs with is of after that restore. */
export async function putRestoredEpoch(folder: DataFolder, epoch: number): Promise<void> {
  const before = await retiredKeys(folder)
  await folder.write(RETIRED_FILE, { ...before, epoch: Math.max(before.epoch, epoch) })
}

/**
 * A copy of the folder of before a restore still holds the key that it retired, and would put it on no list (LIFECYCLE R2).
 *
 * @throws TypeError saying what to do
 */
export function requireRetired({ epoch }: RetiredKeys, epochs: readonly { readonly epoch: number }[]): void {
  const last = epochs.at(-1)?.epoch ?? 0
  if (last <= epoch) return
  throw new TypeError(
    `a restore was accepted (epoch ${last} of the log), and this data folder is of before it: copy that of the node where it was accepted, or accept it here with \`silentauth restore --accept\``,
  )
}

/** @throws TypeError for a secret that a restore has retired */
export function requireFresh({ secrets }: RetiredKeys, executionSecret: string): void {
  if (secrets.includes(digestOf(executionSecret))) {
    throw new TypeError('EXECUTION_SECRET was retired by a restore: make another one with `openssl rand -base64 32`')
  }
}
