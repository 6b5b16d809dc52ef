/**
 * A proof bundle, checked by a stranger, offline: the key against the one that the stranger trusts, the checkpoint against the key,
 * every leaf against the checkpoint, and every word of the bundle against the leaves. What is off is named by its path in the file.
 *
 * @module
 */
import { type AuditFinding, type AuditFindings, auditFindings, reasonOf } from './audit-findings.js'
import { canonicalValue, flawsOf, hashOf } from './audit-line.js'
import { auditReplay } from './audit-replay.js'
import { canonicalJson } from './canonical-json.js'
import { type OpenCheckpoint, openCheckpoint } from './checkpoint.js'
import { isSilentAuthError } from './errors.js'
import type { Json, JsonObject } from './json.js'
import { brokenAt, firstDifference, placeAt } from './json-place.js'
import { trustedKey } from './log-trust.js'
import { isIncluded } from './merkle-tree.js'
import { type ProofBundle, type ProofLeaf, proofBundleForm, said } from './proof-bundle.js'
import { declaredBy, proofSections, type SaidLeaf } from './proof-sections.js'
import { flawsOfStory } from './proof-story.js'
import { parseStrictJson } from './strict-json.js'

export interface VerifyProofOptions {
  /** Fingerprint or text form of the key of the log, from outside. */
  readonly trust: string
}

export interface ProofVerdict {
  /** 0 proved, 1 tampered, 3 incomplete; as `silentauth verify` ends. */
  readonly exitCode: 0 | 1 | 3
  /** The most telling first; at most 100. Each `field` is a path in the file. */
  readonly findings: readonly AuditFinding[]
  /** All of them. */
  readonly found: number
  /** Undefined when it is not signed by the trusted key. */
  readonly checkpoint: OpenCheckpoint | undefined
  /** What was proved; undefined unless every word of it was. */
  readonly bundle: ProofBundle | undefined
}

/** 16 MB: an intent has tens of leaves, and a leaf is small. */
export const MAX_BUNDLE_BYTES = 16 * 1024 * 1024

/**
 * @param bundle the file: bytes, or their text
 * @throws TypeError when `trust` is neither a fingerprint nor a key
 */
export async function verifyProofBundle(
  bundle: string | Uint8Array,
  { trust }: VerifyProofOptions,
): Promise<ProofVerdict> {
  const findings = auditFindings()
  // Before anything else: wrong usage is no finding.
  await trustedKey(trust, [])
  const parsed = readBundle(bundle, findings)
  const checkpoint = parsed && (await checkBundle(parsed, trust, findings))
  return {
    exitCode: findings.tampered ? 1 : findings.count > 0 ? 3 : 0,
    findings: findings.list,
    found: findings.count,
    checkpoint,
    bundle: findings.tampered ? undefined : parsed,
  }
}

/** The bundle in its one spelling, or a finding. */
function readBundle(bundle: string | Uint8Array, findings: AuditFindings): ProofBundle | undefined {
  const tampered = (field: string, reason: string): undefined => {
    findings.add('tampered', undefined, field, reason)
  }
  if (bundle.length > MAX_BUNDLE_BYTES) return tampered('', 'it is larger than any bundle')
  const text = typeof bundle === 'string' ? bundle : new TextDecoder('utf-8', { ignoreBOM: true }).decode(bundle)
  // What is no UTF-8 becomes a sign of its own, also where that sign stood before.
  const changed = typeof bundle === 'string' ? -1 : firstDifferentByte(bundle, new TextEncoder().encode(text))
  if (changed >= 0) {
    const before = new TextDecoder().decode((bundle as Uint8Array).subarray(0, changed))
    return tampered(placeAt(text, before.length), 'it is not UTF-8')
  }
  let json: Json
  try {
    json = parseStrictJson(text)
  } catch (error) {
    const broken = brokenAt(text)
    const refused = isSilentAuthError(error) ? (error.field ?? '').slice(1) : ''
    const field = broken < text.length ? placeAt(text, broken) : refused
    return tampered(field || missingMember(text), 'it is not strict JSON')
  }
  const parsed = proofBundleForm.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
    return tampered([...(issue?.path ?? []), ...unknown].map(String).join('/'), 'it has not the form of a bundle')
  }
  const canonical = spelled(json)
  if (canonical === text) return parsed.data as ProofBundle
  return tampered(placeAt(text, firstDifferent(text, canonical)), 'it is not canonical JSON')
}

async function checkBundle(
  bundle: ProofBundle,
  trust: string,
  findings: AuditFindings,
): Promise<OpenCheckpoint | undefined> {
  const tampered = (field: string, reason: string, at?: ProofLeaf): void => {
    findings.add('tampered', at && { leaf: at.id, sequence: at.sequence }, field, reason)
  }
  const key = await trustedKey(trust, [bundle.vkey])
  if (!key || key.vkey !== bundle.vkey) tampered('vkey', 'it is not the key that is trusted')
  let head: OpenCheckpoint | undefined
  try {
    head = key && (await openCheckpoint(bundle.checkpoint, [key]))
  } catch (error) {
    if (!isSilentAuthError(error)) throw error
    tampered(`checkpoint/${error.field ?? ''}`, reasonOf(error))
  }

  const view = canonicalValue(bundle.view)
  const id = intentOf(bundle, view)
  const replay = auditReplay({ intentId: id })
  const read: SaidLeaf[] = []
  bundle.leaves.forEach((leaf, index) => {
    const path = `leaves/${index}`
    const off = head && inclusionFlaw(leaf, bundle.timeline[index], head)
    if (off) tampered(`${path}/${off.field}`, off.reason, leaf)
    const { body, flaws } = flawsOf({ ...leaf, nodes: [] })
    for (const { field, reason } of flaws) tampered(`${path}/${field}`, reason, leaf)
    if (index > 0 && leaf.sequence <= (bundle.leaves[index - 1]?.sequence ?? 0)) {
      tampered(`${path}/sequence`, 'leaves stand in the order of the log', leaf)
    }
    if (!body) return
    if (head && body.project !== head.projectId) tampered(`${path}/body`, 'it is of another project', leaf)
    for (const { field, reason } of replay.next(body)) tampered(`${path}/body/${field}`, reason, leaf)
    read.push(...said(leaf))
  })

  const story = flawsOfStory({ id, view, viewText: bundle.view, leaves: read, log: head?.log })
  const viewIsOff = story.some(({ field }) => field === 'view')
  for (const name of ['intent', 'votes', 'permits', 'redemptions', 'timeline'] as const) {
    const expected = proofSections(id, view ?? null, read)[name]
    const path = firstDifference(bundle[name] as Json, expected as Json, name)
    if (path === undefined) continue
    const inView = viewIsOff && path.startsWith('intent/view')
    tampered(inView ? path.slice('intent/'.length) : path, 'it is not what the leaves say')
  }
  for (const { kind, field, reason } of story) findings.add(kind, undefined, field, reason)
  return head
}

/** Named twice: the one that the leaves declare is the one that is meant. */
function intentOf({ intent, leaves }: ProofBundle, view: Json | undefined): string {
  const named = [intent.id, (view as JsonObject | undefined)?.intent_id].map(String)
  const read = leaves.flatMap(said)
  return named.find((id) => declaredBy(id, read)) ?? (named[0] as string)
}

/** Which part keeps a leaf from being included: one of them alone is named exactly. */
function inclusionFlaw(
  leaf: ProofLeaf,
  said: JsonObject | undefined,
  head: OpenCheckpoint,
): { readonly field: string; readonly reason: string } | undefined {
  const { size, root } = head
  const hash = hashOf({ ...leaf, nodes: [] })
  const included = (leafHash: string, index: number): boolean =>
    isIncluded({ leafHash, index, size, root, proof: leaf.proof })
  if (included(hash, leaf.sequence)) {
    return leaf.hash === hash ? undefined : { field: 'hash', reason: 'it is not the hash of the body' }
  }
  if (leaf.hash !== hash && included(leaf.hash, leaf.sequence)) {
    return { field: 'body', reason: 'it does not have the hash that is in the log' }
  }
  if (typeof said?.sequence === 'number' && included(hash, said.sequence)) {
    return { field: 'sequence', reason: 'its place in the log is another' }
  }
  return leaf.hash === hash
    ? { field: 'proof', reason: 'it does not lead to the root in the checkpoint' }
    : { field: 'body', reason: 'neither the body nor its hash is in the log' }
}

/** Of the members that every bundle has, the first that is not there. */
function missingMember(text: string): string {
  return Object.keys(proofBundleForm.shape).find((name) => !text.includes(`"${name}":`)) ?? ''
}

function spelled(json: Json): string {
  try {
    return canonicalJson(json)
  } catch {
    return ''
  }
}

function firstDifferent(one: string, other: string): number {
  let at = 0
  while (at < one.length && one[at] === other[at]) at++
  return at
}

function firstDifferentByte(one: Uint8Array, other: Uint8Array): number {
  for (let at = 0; at < Math.max(one.length, other.length); at++) if (one[at] !== other[at]) return at
  return -1
}
