/**
 * Drafts on the wire: the body of `POST /api/intents`.
 *
 * @module
 */
import { SilentAuthError } from '../errors.js'
import { type IntentDraft, parseDraft } from '../intent.js'
import type { JsonObject } from '../json.js'

/** Members of `POST /api/intents`, as they are spelled there. */
const DRAFT_NAMES = {
  action: 'action',
  params: 'parameters',
  idempotencyKey: 'idempotency_key',
  riskTier: 'risk_tier',
  source: 'source',
  sourceType: 'source_type',
  requestedBy: 'requested_by',
  approvers: 'approvers',
  expiresInSeconds: 'expires_in',
  context: 'context',
  metadata: 'metadata',
  supersedes: 'supersedes',
  delivery: 'delivery',
  edits: 'edits',
  reenters: 'reenters',
  idempotent: 'idempotent',
} as const satisfies Record<keyof IntentDraft, string>

/** The body that declares a draft. Absent members are left out. */
export function draftToWire(draft: IntentDraft): JsonObject {
  const entries = Object.entries(DRAFT_NAMES).map(([name, spelled]) => [spelled, draft[name as keyof IntentDraft]])
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as JsonObject
}

/**
 * The draft in a body. `source_type` is required, `parameters` defaults to `{}`, `delivery` to `token`.
 *
 * @throws SilentAuthError `MISSING_FIELDS`, `INVALID_FIELD`, naming members as the wire spells them
 */
export function draftFromWire(body: JsonObject): { draft: IntentDraft; projectId: string | undefined } {
  const { project_id: projectId, ...members } = body
  const missing = ['action', 'source_type'].filter((name) => members[name] === undefined || members[name] === null)
  if (missing.length > 0) {
    throw new SilentAuthError('MISSING_FIELDS', `missing: ${missing.join(', ')}`, { field: missing[0] as string })
  }
  if (projectId !== undefined && projectId !== null && typeof projectId !== 'string') {
    throw new SilentAuthError('INVALID_FIELD', 'project_id must be a text', { field: 'project_id' })
  }
  const named = new Map<string, string>(Object.entries(DRAFT_NAMES).map(([name, spelled]) => [spelled, name]))
  const draft: Record<string, unknown> = { params: {}, delivery: 'token' }
  for (const [spelled, value] of Object.entries(members)) {
    const name = named.get(spelled)
    if (name === undefined) {
      throw new SilentAuthError('INVALID_FIELD', `${spelled} is not a member`, { field: spelled })
    }
    if (value !== null) draft[name] = value
  }
  return { draft: parseDraft(draft, spellDraftMember), projectId: projectId ?? undefined }
}

function spellDraftMember(path: string): string {
  const [first, ...rest] = path.split('.')
  return [DRAFT_NAMES[first as keyof IntentDraft] ?? first, ...rest].join('.')
}
