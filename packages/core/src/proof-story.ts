/**
 * Whether the leaves of one intent, the view and the permits tell one story: a gate that signs whatever it likes must still not
 * contradict itself.
 *
 * @module
 */

import { PERMIT_VALUE } from './audit.js'
import type { AuditFinding } from './audit-findings.js'
import { WITHHELD } from './audit-line.js'
import { canonicalJson } from './canonical-json.js'
import { logName } from './checkpoint.js'
import { digestOf } from './digest.js'
import type { ProjectId } from './id.js'
import type { Json, JsonObject } from './json.js'
import { checkShape } from './permit-claims.js'
import { declaredBy, proofSections, type SaidLeaf } from './proof-sections.js'

export interface Story {
  /** Of the intent. */
  readonly id: string
  /** Undefined when its text is not canonical JSON. */
  readonly view: Json | undefined
  readonly viewText: string
  readonly leaves: readonly SaidLeaf[]
  /** Name of the log, where its checkpoint could be opened. */
  readonly log: string | undefined
}

type Flaw = Pick<AuditFinding, 'kind' | 'field' | 'reason'>

export function flawsOfStory({ id, view, viewText, leaves, log }: Story): readonly Flaw[] {
  const created = declaredBy(id, leaves)
  if (!created) return [{ kind: 'tampered', field: 'leaves', reason: 'none of them declares the intent' }]
  const { data } = created.event
  const flaws: Flaw[] = []
  const tampered = (field: string, reason: string): void => {
    flaws.push({ kind: 'tampered', field, reason })
  }
  if (digestOf(viewText) !== data.intent_hash) tampered('view', 'it does not have the hash that was voted on')
  if (!isObject(view)) return flaws
  const same = (path: string, given: Json | undefined, expected: Json | undefined, reason: string): void => {
    if (canonicalJson(given ?? null) !== canonicalJson(expected ?? null)) tampered(path, reason)
  }
  same('view/intent_id', view.intent_id, id, 'it is of another intent')
  same('view/project_id', view.project_id, created.leaf.body.project, 'it is of another project')
  for (const name of ['action', 'risk_tier', 'policy', 'approvals_required']) {
    same(`view/${name}`, view[name], data[name], 'it is not what was declared')
  }
  const hidesNothing = Array.isArray(view.redacted) && view.redacted.length === 0
  if (hidesNothing)
    same('view/params', digestOf(canonicalJson(view.params ?? null)), view.params_digest, 'not of this digest')
  const params = created.leaf.line.payloads.params
  if (typeof params === 'object' && params) {
    same('intent/params', digestOf(params.json), view.params_digest, 'they are not of the digest that was voted on')
  }

  const { permits, votes } = proofSections(id, view, leaves)
  const issued = leaves.flatMap(({ body }) => body.events).filter(({ type }) => type === 'permit.issued')
  const mine = new Set(issued.filter((event) => event.intent_id === id).map(({ data }) => data.permit_id))
  const approvals = approvalsOf(id, data, leaves, votes)
  permits.forEach((claims, index) => {
    const path = `permits/${index}`
    const wrong = shapeFlaw(claims)
    if (wrong !== undefined) {
      tampered(`${path}/${wrong}`, 'it has not the form of a claim')
      return
    }
    const claim = (name: string, expected: Json | undefined): void =>
      same(`${path}/${name}`, claims[name], expected, 'it is not what was approved')
    if (!mine.has(claims.jti as Json)) tampered(`${path}/jti`, 'it was not issued')
    if (log !== undefined && nameOf(claims.iss, created.leaf.body.project) !== log) {
      tampered(`${path}/iss`, 'it is another gate than that of the log')
    }
    claim('project_id', created.leaf.body.project)
    for (const name of ['action', 'aud', 'params_digest', 'risk_tier']) claim(name, view[name])
    claim('declared_by', data.declared_by)
    const human = data.decision === 'require_approval'
    const { approvals_required: required, policy } = view
    claim('decision', { kind: human ? 'human' : 'policy', policy: policy ?? null, quorum: required ?? null })
    if (human) claim('context_digest', data.intent_hash)
    claim('approvals', approvals)
    if ((claims.exp as number) > (claims.use_until as number)) tampered(`${path}/exp`, 'it is after use_until')
  })
  const hidden = leaves.filter(({ line: { payloads } }) => {
    return payloads[PERMIT_VALUE] === null || payloads[PERMIT_VALUE] === WITHHELD
  })
  const shown = new Set(permits.map(({ jti }) => jti))
  if (hidden.length === 0 && [...mintedIn(leaves, id, view.risk_tier)].some((permit) => !shown.has(permit as Json))) {
    tampered('permits', 'it does not show what a permit says that was issued')
  }
  if (hidden.length > 0) {
    const reason = `the claims of ${hidden.length} permits were erased, or are withheld`
    flaws.push({ kind: 'incomplete', field: 'permits', reason })
  }
  return flaws
}

/** Permits that said something: those of high and critical intents not before their leaf had its place (P6). */
function mintedIn(leaves: readonly SaidLeaf[], id: string, tier: Json | undefined): ReadonlySet<Json | undefined> {
  const types = [
    'permit.sequenced',
    'permit.redeemed',
    ...(tier === 'low' || tier === 'medium' ? ['permit.issued'] : []),
  ]
  const events = leaves.flatMap(({ body }) => body.events)
  const said = events.filter(({ type, intent_id: intent }) => intent === id && types.includes(type))
  return new Set(said.map(({ data }) => data.permit_id))
}

/** What a permit must say of the approvals that the log counted. */
function approvalsOf(
  id: string,
  { intent_hash: intentHash }: JsonObject,
  leaves: readonly SaidLeaf[],
  votes: readonly JsonObject[],
): Json {
  const approved = leaves
    .flatMap(({ body }) => body.events)
    .find((event) => event.type === 'intent.approved' && event.intent_id === id)
  const counted = Array.isArray(approved?.data.approvals) ? (approved.data.approvals as readonly Json[]) : []
  return counted.flatMap((by) => {
    const vote = votes.find((each) => each.by === by)
    const at = Date.parse(String(vote?.at))
    if (!vote || !Number.isFinite(at)) return []
    const { via = null } = vote
    const named = { at, by, via, verdict: 'approve', intent_id: id, intent_hash: intentHash ?? null }
    const ref = digestOf(canonicalJson(named)).slice('sha-256:'.length)
    return [{ at: Math.floor(at / 1000), by, ref, via }]
  })
}

function shapeFlaw(claims: JsonObject): string | undefined {
  try {
    checkShape(claims, 'v1')
    return undefined
  } catch (error) {
    return (error as { field?: string }).field ?? ''
  }
}

function nameOf(issuer: Json | undefined, project: string): string | undefined {
  try {
    return logName(String(issuer), project as ProjectId)
  } catch {
    return undefined
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
