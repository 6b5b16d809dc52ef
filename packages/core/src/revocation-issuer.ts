/**
 * The revocation issuer signs what a store knows to be revoked, a few times a minute however many verifiers ask.
 *
 * @module
 */
import type { ProjectId } from './id.js'
import { MAX_LISTED_PERMITS, revocationClaims, signRevocationList } from './revocation-list.js'
import type { Signer } from './signer.js'
import type { StoreReader } from './store.js'

export interface RevocationIssuerOptions {
  readonly store: Pick<StoreReader, 'now' | 'revocations'>
  readonly projectId: ProjectId
  /** `iss` of its permits, and of its lists. */
  readonly issuer: string
  /** Of lists alone: no permit is accepted from it, and no list from the key of permits. */
  readonly signer: Signer
  /** `kid`s of permit signing keys that are no longer trusted. @default none */
  readonly kids?: (() => readonly string[]) | undefined
  /** How long one list is handed out; a revocation waits for it, and no longer. @default 2000 */
  readonly maxAgeMs?: number | undefined
}

export interface RevocationIssuer {
  /** The list, signed at most `maxAgeMs` ago. @throws SilentAuthError when the store cannot be read, or no list can hold it all */
  list(): Promise<string>
}

/** @throws TypeError for a shared secret: whoever could read a list could make one */
export function revocationIssuer(options: RevocationIssuerOptions): RevocationIssuer {
  const { store, projectId, issuer, signer, kids = () => [], maxAgeMs = 2000 } = options
  if (signer.publicJwk === undefined) throw new TypeError('a revocation list is signed by a key pair of its own')
  let made: { readonly list: Promise<string>; readonly at: number } | undefined
  let last = 0

  const make = async (): Promise<string> => {
    // Before the reads: whatever was committed until then is on the list.
    const now = await store.now()
    const stored = await store.revocations({ projectId, now, limit: MAX_LISTED_PERMITS + 1 })
    last = Math.max(now, last + 1)
    return signRevocationList(revocationClaims(stored, { issuer, projectId, kids: kids(), number: last, now }), signer)
  }

  return {
    list() {
      const at = performance.now()
      if (made !== undefined && at - made.at < maxAgeMs) return made.list
      const list = make()
      const own = { list, at }
      made = own
      // A failure is for those who asked; the next one asks anew.
      list.catch(() => {
        if (made === own) made = undefined
      })
      return list
    },
  }
}
