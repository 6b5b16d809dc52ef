/**
 * The revocation route: the signed list that verifiers poll. Public, because it names ids only, and who may not read it would
 * have to refuse every permit.
 *
 * @module
 */
import { type RevocationIssuer, SilentAuthError } from '@silentauth/core'
import { z } from 'zod'
import { ANSWER_HEADERS } from './answers.js'
import { type Route, route } from './route-table.js'

export interface RevocationRoutesOptions {
  /** undefined: this app publishes none. */
  readonly revocations: RevocationIssuer | undefined
}

export function revocationRoutes({ revocations }: RevocationRoutesOptions): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/.well-known/silentauth-revocations',
      access: 'open',
      summary: 'The signed revocation list, as a compact JWS: good for two minutes, under a key of its own.',
      data: z.unknown(),
      media: 'application/jwt',
      errors: ['GATE_UNAVAILABLE', 'DB_ERROR'],
      async handle() {
        if (revocations === undefined)
          throw new SilentAuthError('GATE_UNAVAILABLE', 'this gate signs no revocation list')
        const headers = { ...ANSWER_HEADERS, 'content-type': 'application/jwt' }
        return { held: new Response(await revocations.list(), { headers }) }
      },
    }),
  ]
}
