/**
 * Operation routes: is it alive, is it ready, which keys verify its permits, what does its API look like.
 *
 * @module
 */
import { type ProjectId, type PublicJwk, SilentAuthError, type Store } from '@silentauth/core'
import { z } from 'zod'
import { type Route, route } from './route-table.js'

export interface OperationRoutesOptions {
  readonly store: Store
  readonly projectId: ProjectId
  readonly publicKeys: readonly PublicJwk[]
  readonly isDraining: () => boolean
  readonly openApi: () => unknown
}

const OK = z.strictObject({ status: z.literal('ok') })

export function operationRoutes(options: OperationRoutesOptions): readonly Route[] {
  const { store, projectId, publicKeys } = options
  return [
    route({
      method: 'GET',
      path: '/healthz',
      access: 'open',
      summary: 'The process answers.',
      data: OK,
      handle: () => ({ data: { status: 'ok' as const } }),
    }),

    route({
      method: 'GET',
      path: '/readyz',
      access: 'open',
      summary: 'The store answers, a failover could lose no commit, and the server is not closing.',
      data: OK,
      errors: ['GATE_UNAVAILABLE', 'DB_ERROR'],
      async handle() {
        if (options.isDraining()) throw new SilentAuthError('GATE_UNAVAILABLE', 'the server is closing')
        if (!(await store.project(projectId))) {
          throw new SilentAuthError('GATE_UNAVAILABLE', `project ${projectId} does not exist`)
        }
        const faults = (await store.faults?.()) ?? []
        if (faults.length > 0) throw new SilentAuthError('GATE_UNAVAILABLE', `not ready: ${faults.join('; ')}`)
        return { data: { status: 'ok' as const } }
      },
    }),

    route({
      method: 'GET',
      path: '/.well-known/jwks.json',
      access: 'open',
      summary: 'The public keys that verify permits: a JWK set. Empty for an hs256 project.',
      data: z.unknown(),
      handle: () => ({ document: { keys: publicKeys }, headers: { 'cache-control': 'public, max-age=60' } }),
    }),

    route({
      method: 'GET',
      path: '/openapi.json',
      access: 'open',
      summary: 'This API as OpenAPI 3.1.',
      data: z.unknown(),
      handle: () => ({ document: options.openApi() }),
    }),
  ]
}
