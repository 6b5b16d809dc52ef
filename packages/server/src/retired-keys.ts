/**
 * Retired keys: what signed permits here once and is trusted no more. Their `kid`s stand in every revocation list, and a shared
 * secret that was retired is not taken again.
 *
 * @module
 */
import { digestOf } from '@silentauth/core'
import { z } from 'zod'
import type { DataFolder } from './data-folder.js'
import { forgetReplacedKeys, replacedKeys } from './replaced-keys.js'
import { PERMIT_KEY_FILE } from './signing-key.js'

const RETIRED_FILE = 'retired-keys.json'
const retiredForm = z.strictObject({ kids: z.array(z.string()), secrets: z.array(z.string()) })
export type RetiredKeys = z.infer<typeof retiredForm>

export async function retiredKeys(folder: DataFolder): Promise<RetiredKeys> {
  const stored = await folder.read(RETIRED_FILE)
  return stored === undefined ? { kids: [], secrets: [] } : retiredForm.parse(stored)
}

/** The next start makes another permit key. A secret is the operator's: another one must be given. */
export async function retirePermitKey(folder: DataFolder, executionSecret: string | undefined): Promise<void> {
  const before = await retiredKeys(folder)
  const stored = z.object({ kid: z.string() }).safeParse(await folder.read(PERMIT_KEY_FILE))
  // Those before it too: what they signed is as old as what it signed.
  const replaced = (await replacedKeys(folder, 0)).map(({ kid }) => kid)
  const own = stored.success ? [stored.data.kid] : []
  const kids = [...new Set([...before.kids, ...replaced, ...own])]
  const secrets =
    executionSecret === undefined ? before.secrets : [...new Set([...before.secrets, digestOf(executionSecret)])]
  // First this: a key that is gone and not on the list would be trusted by whoever pinned it.
  await folder.write(RETIRED_FILE, { kids, secrets })
  await forgetReplacedKeys(folder)
  await folder.remove(PERMIT_KEY_FILE)
}

/** @throws TypeError for a secret that a restore has retired */
export function requireFresh({ secrets }: RetiredKeys, executionSecret: string): void {
  if (secrets.includes(digestOf(executionSecret))) {
    throw new TypeError('EXECUTION_SECRET was retired by a restore: make another one with `openssl rand -base64 32`')
  }
}
