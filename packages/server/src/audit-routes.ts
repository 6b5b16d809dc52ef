/**
 * Audit routes: the leaves of the log, as they were hashed. Values stand in them as commitments only.
 *
 * @module
 */
import type { ProjectId, Store, StoredLeaf } from '@silentauth/core'
import { instant } from '@silentauth/core/wire'
import { z } from 'zod'
import { auditQuery } from './request-forms.js'
import { type Route, route } from './route-table.js'

export interface AuditRoutesOptions {
  readonly store: Store
  readonly projectId: ProjectId
}

const leafData = z.strictObject({
  /** From 0, without gaps. */
  sequence: z.int(),
  id: z.string(),
  at: z.string(),
  intent_id: z.string().nullable(),
  /** Canonical JSON: actor, events, commitments. */
  body: z.string(),
  /** SHA-256(0x00 ‖ body), base64url. */
  hash: z.string(),
})

export function auditRoutes({ store, projectId }: AuditRoutesOptions): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/audit',
      access: 'person',
      roles: ['owner', 'admin', 'auditor'],
      summary: 'The leaves of the log in their order, the first one first.',
      query: auditQuery,
      data: z.array(leafData),
      beside: { next_cursor: z.string().nullable() },
      async handle({ query: { cursor = 0, limit = 50 } }) {
        const leaves = await store.leaves({ projectId, from: cursor, limit })
        const last = leaves.at(-1)
        return {
          data: leaves.map(leafToWire),
          beside: { next_cursor: last && leaves.length === limit ? String(last.sequence + 1) : null },
        }
      },
    }),
  ]
}

function leafToWire({ sequence, id, at, intentId, body, hash }: StoredLeaf): z.input<typeof leafData> {
  return { sequence, id, at: instant(at), intent_id: intentId ?? null, body, hash }
}
