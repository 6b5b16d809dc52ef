/**
 * A log for tests: intents in every kind of end, the tree over their leaves, and checkpoints of it.
 *
 * @module
 */

import { exportAudit } from '../src/audit-export.js'
import type { AuditLine } from '../src/audit-line.js'
import type { ExportedAudit } from '../src/audit-verify.js'
import { canonicalJson } from '../src/canonical-json.js'
import { logName, logOrigin, signCheckpoint } from '../src/checkpoint.js'
import { newId } from '../src/id.js'
import type { Intent, IntentDraft } from '../src/intent.js'
import { growTree, readEdge, treeRoot } from '../src/merkle-tree.js'
import type { Principal } from '../src/registry.js'
import { type NoteSigner, noteSigner } from '../src/signed-note.js'
import { generateSigningKey, privateKeySigner } from '../src/signer.js'
import { type TestGate, testGate } from '../src/testing.js'
import type { Vote } from '../src/vote.js'

export const PARAMS = { customer_id: 'cust_4821', amount: 250 }

export async function aNoteSigner(name: string): Promise<NoteSigner> {
  return noteSigner(name, await privateKeySigner(await generateSigningKey('EdDSA')))
}

export function logOf(test: TestGate): string {
  return logName('urn:silentauth:test', test.project.id)
}

/** Gives the tree the leaves that it has not, and signs its head. */
export async function signedNow(test: TestGate, signer: NoteSigner, epoch = 0): Promise<string> {
  const { store, project } = test
  const from = (await store.lastCheckpoint(project.id))?.size ?? 0
  const size = await store.logSize(project.id)
  const read = (places: Parameters<typeof store.treeHashes>[1]) => store.treeHashes(project.id, places)
  const leaves = await store.leaves({ projectId: project.id, from, limit: 1000 })
  const grown = growTree(
    await readEdge(from, read),
    leaves.map(({ hash }) => hash),
  )
  const root = treeRoot(grown.tree)
  const note = await signCheckpoint({ origin: logOrigin(signer.name, epoch), size, root }, signer)
  await store.transaction(async (tx) => {
    await tx.putTreeNodes(project.id, grown.nodes)
    await tx.putCheckpoint({ projectId: project.id, epoch, size, root, note, at: test.clock.now() })
  })
  return note
}

export async function exported(
  test: TestGate,
  signer: NoteSigner,
  checkpoint: string,
): Promise<ExportedAudit & { readonly lines: readonly string[] }> {
  const size = await test.store.logSize(test.project.id)
  const lines: string[] = []
  for await (const line of exportAudit(test.store, { projectId: test.project.id, size })) lines.push(line)
  return { lines, checkpoint, vkeys: [signer.vkey] }
}

/** The same line with something changed, spelled as an export spells it. */
export function changedLine(line: string, change: (line: Writable<AuditLine>) => void): string {
  const parsed = JSON.parse(line) as Writable<AuditLine>
  change(parsed)
  return canonicalJson(parsed)
}
export type Writable<Of> = { -readonly [Member in keyof Of]: Of[Member] }

/** A gate where people decide, and approvals of two, of an edit, of a policy, denials, executions and redemptions have happened. */
export async function aBusyGate(): Promise<{ readonly test: TestGate; readonly redeemed: Intent }> {
  const test = await testGate({
    policies: [
      { name: 'reads', match: { action_pattern: 'read_*' }, decision: 'auto_approve', any_params: true },
      { name: 'no', match: { action_pattern: 'drop_*' }, decision: 'auto_deny' },
      {
        name: 'two',
        match: { action_pattern: 'wire_*' },
        decision: 'require_approval',
        approval: { approvers_required: 2 },
      },
    ],
  })
  const second = await test.person()
  const redeemed = await declared(test, { action: 'wire_money', context: { reasoning: 'a crocodile' } })
  await vote(test, test.approver, redeemed.id, { verdict: 'approve', comment: 'fine' })
  await vote(test, second, redeemed.id, { verdict: 'approve' })
  const claim = await test.gate.claim(redeemed.id, attempt(redeemed))
  if (claim.type !== 'granted') throw new Error(`the claim was ${claim.type}`)
  const { principal } = await test.addKey({ kind: 'verifier' })
  const { paramsDigest, audience } = redeemed
  const redemption = { token: claim.permit, redemptionId: newId('int'), action: 'wire_money', paramsDigest, audience }
  await test.local.counter.redeem(principal, redemption)
  await test.gate.report(redeemed.id, attempt(redeemed), { status: 'succeeded', result: { wired: true } })

  await declared(test, { action: 'read_logs', delivery: 'token' })
  await declared(test, { action: 'drop_table' })
  const denied = await declared(test, {})
  await vote(test, test.approver, denied.id, { verdict: 'deny', comment: 'no' })
  await test.gate.cancel((await declared(test, { action: 'send_mail' })).id, 'not needed')
  const returned = await declared(test, { action: 'send_letter' })
  await vote(test, test.approver, returned.id, { verdict: 'request_changes' })
  const schema = { type: 'object', properties: { customer_id: { type: 'string' }, amount: { type: 'integer' } } }
  const edited = await declared(test, { action: 'send_parcel', edits: { schema } })
  await vote(test, test.approver, edited.id, { verdict: 'approve', params: { ...PARAMS, amount: 100 } })
  await declared(test, { action: 'send_fax', expiresInSeconds: 60 })
  test.clock.advance(61_000)
  await test.local.sweep()
  const abandoned = await declared(test, { action: 'send_telegram' })
  await vote(test, second, abandoned.id, { verdict: 'approve' })
  await test.local.desk.withdraw(test.approver, abandoned.id, 'a mistake')
  return { test, redeemed }
}

export async function declared(test: TestGate, draft: Partial<IntentDraft>): Promise<Intent> {
  test.clock.advance(1)
  return test.gate.declare({ action: 'issue_refund', params: PARAMS, ...draft })
}

export async function vote(
  test: TestGate,
  person: Principal,
  id: Intent['id'],
  how: Omit<Vote, 'intentHash'>,
): Promise<void> {
  test.clock.advance(1)
  const { intentHash } = await test.local.desk.read(person, id)
  await test.local.desk.vote(person, id, { intentHash, ...how })
}

export function attempt({ id }: Intent) {
  return { executionId: `execution-of-${id}`, attemptId: `attempt-of-${id}` }
}
