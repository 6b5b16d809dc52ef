/**
 * `silentauth keys rotate`: another permit key, in the data folder of a gate.
 *
 * @module
 */
import { rotatePermitKey } from '@silentauth/server'
import { printable } from './printable.js'

export interface RotateKeyOptions {
  readonly data: string
  readonly compromised?: boolean
}

/** The new key's id is all that stands on stdout. */
export async function rotateKey({ data, compromised = false }: RotateKeyOptions): Promise<number> {
  const { replaced, kid } = await rotatePermitKey(data, { compromised })
  console.error(
    compromised
      ? `${printable(replaced)} is retired. Start the gate again NOW: from then on nothing that it signed is good, here or at backends that poll the revocation list.`
      : `${printable(replaced)} is replaced. Start the gate again: it then signs with the new key, and shows the old one until the last permit of it is over.`,
  )
  console.error('Other nodes need the same data folder; verifiers that pinned public.jwks.json need the new one.')
  console.log(kid)
  return 0
}
