/**
 * Gate keys: what this side needs to verify the gate's permits by itself, or the reason why it cannot.
 *
 * @module
 */
import {
  type KeyRing,
  MAX_LIFETIME_SECONDS,
  type PermitClaims,
  type ReadOptions,
  readPermit,
  SilentAuthError,
  type Trust,
} from '@silentauth/core'
import { type PermitKeysOptions, permitKeys } from '@silentauth/verify'
import type { Connection } from './connection.js'

export interface GateKeys extends AsyncDisposable {
  /** False in an hs256 project, and for a gate on this machine whose keys are not pinned. */
  readonly canVerify: boolean
  /** An hs256 project has no keys that could be given to this side. */
  readonly onlineOnly: boolean
  /** @throws SilentAuthError `GATE_UNAVAILABLE` without pinned keys, saying how to pin them; and when no keys can be fetched */
  trust(): Promise<Trust>
  /** @throws SilentAuthError `GATE_UNAVAILABLE` where `trust` would, without asking anybody */
  requireTrust(): void
  /** Comparisons are made with what is given. @throws SilentAuthError the first failing `PERMIT_*`; as `trust` */
  read(token: string, compare?: Pick<ReadOptions, 'action' | 'params' | 'audience'>): Promise<PermitClaims>
}

export function gateKeys({ gate, trust, profile, projectId }: Connection, options: PermitKeysOptions): GateKeys {
  const keys = trust && permitKeys(trust.keys, options)
  const unpinned = (): SilentAuthError =>
    new SilentAuthError(
      'GATE_UNAVAILABLE',
      'permits of a gate on this machine are verified with pinned keys: pass `dataFolder` (or set SILENTAUTH_DATA), or `keys` ' +
        'and `issuer`; it does not fetch them, from a port that anybody could have bound',
    )
  return {
    canVerify: keys !== undefined,
    onlineOnly: profile === 'hs256',
    requireTrust() {
      if (keys === undefined && profile !== 'hs256') throw unpinned()
    },
    async trust() {
      if (profile === 'hs256') return { issuer: gate.href, projectId, keys: undefined }
      if (keys === undefined || trust === undefined) throw unpinned()
      return { issuer: trust.issuer, projectId, keys: await keys.current() }
    },
    async read(token, compare = {}) {
      if (keys === undefined || trust === undefined) throw unpinned()
      const exact = { ...compare, issuer: trust.issuer, projectId, maxLifetimeSeconds: MAX_LIFETIME_SECONDS }
      const { claims } = await keys.with((ring: KeyRing) => readPermit(token, { ...exact, keys: ring }))
      return claims
    },
    async [Symbol.asyncDispose]() {
      await keys?.[Symbol.asyncDispose]()
    },
  }
}
