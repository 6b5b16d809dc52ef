/**
 * Routes of the log for auditors: its signed checkpoint, proofs, the export, and the proof bundle of an intent. All of them only read.
 *
 * @module
 */
import {
  consistencyProof,
  exportAudit,
  inclusionProof,
  type LeafId,
  type LoggedLeaf,
  type ProjectId,
  proofBundle,
  type Role,
  readCheckpoint,
  type Sequencer,
  SilentAuthError,
  type Store,
  type StoredCheckpoint,
  vkeyFingerprint,
} from '@silentauth/core'
import { instant } from '@silentauth/core/wire'
import { z } from 'zod'
import { ANSWER_HEADERS } from './answers.js'
import { bundleQuery, exportQuery, proofQuery } from './request-forms.js'
import { type Route, route } from './route-table.js'
import type { SignedIn } from './session.js'

/** What is asked of the log: its key, and the newest checkpoint that is held outside. */
export type CheckpointSource = Pick<Sequencer, 'vkey' | 'head'>

export interface AuditLogRoutesOptions {
  readonly store: Store
  readonly projectId: ProjectId
  /** undefined: this app has no living log. */
  readonly log: CheckpointSource | undefined
}

const AUDIT_ROLES: readonly Role[] = ['owner', 'admin', 'auditor']
/** Who may see what the view hides from everybody else. */
const VALUE_ROLES: readonly Role[] = ['owner', 'admin']

const checkpointData = z.strictObject({
  /** The signed note (C2SP tlog-checkpoint). */
  checkpoint: z.string(),
  origin: z.string(),
  epoch: z.int(),
  size: z.int(),
  /** base64url. */
  root: z.string(),
  at: z.string(),
  /** Text form of the key that signed it. */
  vkey: z.string(),
  /** Of that key: what `--trust` takes, once it came by another way than this one. */
  fingerprint: z.string(),
})

const hashes = z.array(z.string())
const proofData = z.strictObject({
  id: z.string(),
  sequence: z.int(),
  hash: z.string(),
  /** Hashes from the leaf to the root, nearest first (RFC 9162, 2.1.3.1). */
  inclusion: hashes,
  size: z.int(),
  root: z.string(),
  checkpoint: z.string(),
  /** That the tree of `size` begins with the tree of `since` (RFC 9162, 2.1.4.1). */
  consistency: z.strictObject({ since: z.int(), proof: hashes }).nullable(),
})

export function auditLogRoutes({ store, projectId, log }: AuditLogRoutesOptions): readonly Route[] {
  const head = (): { readonly checkpoint: StoredCheckpoint; readonly vkey: string } => {
    if (log === undefined) throw new SilentAuthError('GATE_UNAVAILABLE', 'this gate signs no checkpoints')
    const checkpoint = log.head()
    if (checkpoint === undefined) throw new SilentAuthError('NOT_SEQUENCED', 'no checkpoint was signed yet')
    return { checkpoint, vkey: log.vkey }
  }
  const nodes = (places: Parameters<Store['treeHashes']>[1]) => store.treeHashes(projectId, places)
  const options = { access: 'person', roles: AUDIT_ROLES, method: 'GET' } as const

  return [
    route({
      ...options,
      path: '/api/audit/checkpoint',
      summary: 'The newest signed checkpoint of the log. Keep it: the log can be held to it later.',
      data: checkpointData,
      errors: ['NOT_SEQUENCED', 'GATE_UNAVAILABLE'],
      async handle() {
        const { checkpoint, vkey } = head()
        const { origin } = readCheckpoint(checkpoint.note)
        return {
          data: {
            checkpoint: checkpoint.note,
            origin,
            epoch: checkpoint.epoch,
            size: checkpoint.size,
            root: checkpoint.root,
            at: instant(checkpoint.at),
            vkey,
            fingerprint: await vkeyFingerprint(vkey),
          },
        }
      },
    }),

    route({
      ...options,
      path: '/api/audit/proof/{leaf}',
      summary:
        'That a leaf, by its id or its place, is in the log, and that the log begins with what it was at the size `since`.',
      query: proofQuery,
      data: proofData,
      errors: ['NOT_FOUND', 'NOT_SEQUENCED', 'GATE_UNAVAILABLE'],
      async handle({ path, query: { since } }) {
        const { checkpoint } = head()
        const { size, root, note } = checkpoint
        const leaf = await leafOf(store, projectId, path.leaf ?? '')
        const { sequence } = leaf
        if (sequence === undefined || sequence >= size) {
          throw new SilentAuthError('NOT_SEQUENCED', `${leaf.id} is in no checkpoint yet`, { retryAfterSeconds: 2 })
        }
        if (since !== undefined && since > size) {
          throw new SilentAuthError('INVALID_FIELD', `since is beyond the ${size} leaves of the checkpoint`, {
            field: 'since',
          })
        }
        const consistency =
          since === undefined ? null : { since, proof: [...(await consistencyProof(since, size, nodes))] }
        const inclusion = [...(await inclusionProof(sequence, size, nodes))]
        return {
          data: { id: leaf.id, sequence, hash: leaf.hash, inclusion, size, root, checkpoint: note, consistency },
        }
      },
    }),

    route({
      ...options,
      path: '/api/audit/export',
      summary:
        'The leaves of the log up to a checkpoint, one line of canonical JSON each. Values only for owners and admins.',
      query: exportQuery,
      data: z.unknown(),
      media: 'application/x-ndjson',
      errors: ['NOT_SEQUENCED', 'GATE_UNAVAILABLE'],
      async handle({ who, query: { size: asked, values = false } }) {
        if (values) requireValues(who)
        const { checkpoint } = head()
        const size = Math.min(asked ?? checkpoint.size, checkpoint.size)
        return { held: streamed(exportAudit(store, { projectId, size, values })) }
      },
    }),

    route({
      ...options,
      path: '/api/audit/bundle/{id}',
      summary: 'The proof bundle of an intent, for `silentauth verify`. Values only for owners and admins.',
      query: bundleQuery,
      data: z.unknown(),
      errors: ['NOT_FOUND', 'NOT_SEQUENCED', 'GATE_UNAVAILABLE'],
      async handle({ who, intentId, query: { values = false } }) {
        if (values) requireValues(who)
        const { vkey } = head()
        // As it is: its bytes are what is verified.
        return {
          held: new Response(await proofBundle(store, { projectId, intentId, vkey, values }), {
            headers: ANSWER_HEADERS,
          }),
        }
      },
    }),
  ]
}

async function leafOf(store: Store, projectId: ProjectId, named: string): Promise<LoggedLeaf> {
  const found = /^\d{1,15}$/.test(named)
    ? (await store.leaves({ projectId, from: Number(named), limit: 1 })).find(
        ({ sequence }) => sequence === Number(named),
      )
    : /^leaf_[0-9a-z]{1,64}$/.test(named)
      ? await store.leaf(projectId, named as LeafId)
      : refuseName()
  if (!found) throw new SilentAuthError('NOT_FOUND', 'no leaf of this project has this id or place')
  return found
}

function refuseName(): never {
  throw new SilentAuthError('INVALID_FIELD', 'a leaf is named by its id or its place', { field: 'leaf' })
}

function requireValues({ person }: SignedIn): void {
  if (VALUE_ROLES.some((role) => person.roles.includes(role))) return
  throw new SilentAuthError('FORBIDDEN', `person ${person.id} may not see values: only owners and admins may`)
}

/** Read as fast as the client takes it, and no further once it goes away. */
function streamed(lines: AsyncGenerator<string>): Response {
  const utf8 = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await lines.next()
      if (done) controller.close()
      else controller.enqueue(utf8.encode(`${value}\n`))
    },
    async cancel() {
      await lines.return(undefined)
    },
  })
  return new Response(body, { headers: { ...ANSWER_HEADERS, 'content-type': 'application/x-ndjson' } })
}
