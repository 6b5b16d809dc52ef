/**
 * Routes of project keys. A secret is shown in the answer that made it, and never again.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { type KeyId, newId, type Registrar } from '@silentauth/core'
import { z } from 'zod'
import { listPage, listQuery } from './list-page.js'
import { createdKeyData, keyData, keyForm, keyToWire, noForm } from './registry-forms.js'
import { pathId, type Route, route } from './route-table.js'
import { newProjectKey, secretHash } from './secret.js'
import type { TransportRetry } from './transport-retry.js'

export function projectKeyRoutes({ registrar }: { readonly registrar: Registrar }): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/keys',
      access: 'person',
      roles: ['owner', 'admin', 'auditor'],
      summary: 'The project keys, without their secrets.',
      query: listQuery,
      data: z.array(keyData),
      beside: { next_cursor: z.string().nullable() },
      async handle({ who, query }) {
        return listPage(await registrar.keys(who.principal), query, ({ id }) => id, keyToWire)
      },
    }),
    route({
      method: 'POST',
      path: '/api/keys',
      access: 'person',
      roles: ['owner', 'admin'],
      summary:
        'Makes a key, bound to the `agents` that it may speak for; `secret` is shown this once. With `replaces`, it keeps the intents of that key, which works until it is disabled.',
      body: keyForm,
      data: createdKeyData,
      status: 201,
      errors: ['NOT_FOUND', 'AGENT_REVOKED'],
      async handle({ who: { principal }, body: { agents = [], ...details }, retry }) {
        const secret = newProjectKey()
        const { key, created } = await registrar.createKey(principal, {
          ...details,
          id: keyId(principal.id, retry),
          secretHash: secretHash(secret),
          agents,
        })
        return { data: { ...keyToWire(key), secret: created ? secret : null }, status: created ? 201 : 200 }
      },
    }),
    route({
      method: 'POST',
      path: '/api/keys/{key}/disable',
      access: 'person',
      roles: ['owner', 'admin'],
      summary: 'Ends a key for good: here at once, its permits at every backend within two minutes.',
      body: noForm,
      bodyOptional: true,
      data: keyData,
      errors: ['NOT_FOUND'],
      handle: async ({ who, path }) => ({
        data: keyToWire(await registrar.disableKey(who.principal, pathId(path, 'key', 'key'))),
      }),
    }),
  ]
}

/** A request that is sent again makes the same id, so that no second key is left behind that nobody knows the secret of. */
function keyId(person: string, retry: TransportRetry | undefined): KeyId {
  if (retry === undefined) return newId('key')
  return `key_${createHash('sha256').update(`${person} ${retry.key}`).digest('hex').slice(0, 32)}`
}
