/**
 * `silentauth audit`: the log as files, and what a stranger finds in them. Exporting asks the gate; verifying asks nobody.
 *
 * @module
 */
import {
  type AuditFinding,
  type AuditVerdict,
  isConsistent,
  isIncluded,
  openCheckpoint,
  parseVkey,
  readCheckpoint,
  verifyAudit,
} from '@silentauth/core'
import { z } from 'zod'
import { ask, askFile, readSession } from './approver-session.js'
import { readAuditFolder, writeAuditFolder } from './audit-folder.js'
import { readNote } from './bounded-file.js'
import { AUDIT_EXIT } from './exit.js'
import { printable } from './printable.js'

const checkpointForm = z.object({
  checkpoint: z.string(),
  size: z.int(),
  vkey: z.string(),
  fingerprint: z.string(),
})
const hashes = z.array(z.string())
const proofForm = z.object({
  id: z.string(),
  sequence: z.int(),
  hash: z.string(),
  inclusion: hashes,
  size: z.int(),
  root: z.string(),
  checkpoint: z.string(),
  consistency: z.object({ since: z.int(), proof: hashes }).nullable(),
})

export interface AuditExportOptions {
  readonly out?: string
  readonly values?: boolean
}

/** The leaves up to the newest checkpoint, in a folder of their own. */
export async function auditExport({ out, values = false }: AuditExportOptions): Promise<number> {
  const session = await readSession()
  const head = checkpointForm.parse((await ask(session, '/api/audit/checkpoint')).data)
  const folder = out ?? `audit-${head.size}`
  const response = await askFile(session, `/api/audit/export?size=${head.size}${values ? '&values=true' : ''}`)
  if (response.body) await writeAuditFolder(folder, head, response.body)
  console.log(folder)
  console.error(`${head.size} leaves. The gate says that its log key is ${head.fingerprint}:`)
  console.error('  ask its operator by another way (log-vkey.json in its data folder), then')
  console.error(`  silentauth audit verify ${folder} --trust ${head.fingerprint}`)
  return 0
}

export interface AuditVerifyOptions {
  readonly trust: string
  readonly since?: readonly string[]
  readonly json?: boolean
}

/** @returns 0 whole, 1 tampered, 3 incomplete. @throws TypeError for what cannot be looked at */
export async function auditVerify(folder: string, { trust, since = [], json }: AuditVerifyOptions): Promise<number> {
  const exported = await readAuditFolder(folder)
  const olderCheckpoints = await Promise.all(since.map(checkpointIn))
  const verdict = await verifyAudit(exported, { trust, olderCheckpoints })
  if (json) console.log(JSON.stringify(verdict))
  printFindings(verdict)
  console.error(summaryOf(verdict, since.length))
  return verdict.exitCode
}

export interface AuditProofOptions {
  readonly since?: string
}

/**
 * That one leaf is in the log, and with `since` that the log still begins as it did; printed, so that it can be kept.
 *
 * @returns 0, 1 tampered, 3 when a restore came in between
 */
export async function auditProof(leaf: string, { since }: AuditProofOptions): Promise<number> {
  const older = since === undefined ? undefined : readCheckpoint(await checkpointIn(since))
  const session = await readSession()
  const { vkey, size: now } = checkpointForm.parse((await ask(session, '/api/audit/checkpoint')).data)
  // What is no longer there cannot be asked for; it is said below.
  const query = older && older.size <= now ? `?since=${older.size}` : ''
  const proof = proofForm.parse((await ask(session, `/api/audit/proof/${encodeURIComponent(leaf)}${query}`)).data)
  const head = await openCheckpoint(proof.checkpoint, [await parseVkey(vkey)])
  const { sequence: index, hash: leafHash, inclusion, size, root } = proof
  const included = isIncluded({ leafHash, index, size: head.size, root: head.root, proof: inclusion })
  if (!included || size !== head.size || root !== head.root) {
    console.error(`TAMPERED  ${printable(proof.id)}: its proof does not lead to the checkpoint`)
    return AUDIT_EXIT.tampered
  }
  if (older && !isOn(older, head, proof.consistency?.proof ?? [])) {
    if (older.log === head.log && older.epoch < head.epoch) {
      console.error(
        `INCOMPLETE  a restore came after ${since}: whether it owns up to what was lost is in \`silentauth audit verify <export> --since ${since}\``,
      )
      return AUDIT_EXIT.incomplete
    }
    console.error(
      `TAMPERED  the log does not begin with the ${older.size} leaves of ${since}: it was rewritten or forked`,
    )
    return AUDIT_EXIT.tampered
  }
  console.log(JSON.stringify(proof))
  console.error(`${printable(proof.id)} is leaf ${index} of ${head.size} (${printable(head.origin)}).`)
  if (older) console.error(`The log begins with the ${older.size} leaves of ${since}.`)
  return AUDIT_EXIT.whole
}

/** Of the same log, also as it was before a restore that kept those leaves. */
function isOn(
  older: ReturnType<typeof readCheckpoint>,
  head: Awaited<ReturnType<typeof openCheckpoint>>,
  proof: readonly string[],
): boolean {
  const { size, root } = head
  if (older.log !== head.log || older.epoch > head.epoch) return false
  return isConsistent({ oldSize: older.size, oldRoot: older.root, size, root, proof })
}

/** What is wrong, a line each, for somebody who looks for the place. */
export function printFindings({
  findings,
  found,
}: {
  readonly findings: readonly AuditFinding[]
  readonly found: number
}): void {
  for (const { kind, sequence, leaf, field, reason } of findings) {
    const place = sequence === undefined ? '' : `leaf ${sequence}${leaf ? ` (${leaf})` : ''}  `
    console.error(printable(`${kind.toUpperCase()}  ${place}${field || 'the whole'}: ${reason}`))
  }
  if (found > findings.length) console.error(`… and ${found - findings.length} more`)
  if (findings.some(({ field }) => field === 'vkey')) {
    console.error(
      'The fingerprint has a typo, or this is the log of another gate, or somebody signed it anew: compare it with',
    )
    console.error('what the operator gave you, not with the file.')
  }
}

function summaryOf({ exitCode, leaves, checkpoint, erased, withheld }: AuditVerdict, older: number): string {
  const size = checkpoint ? `the checkpoint of ${checkpoint.size} (${printable(checkpoint.origin)})` : 'no checkpoint'
  const values = [erased > 0 && `${erased} values erased`, withheld > 0 && `${withheld} withheld`].filter(Boolean)
  const counted = [`${leaves} leaves, ${size}`, ...(older > 0 ? [`${older} older checkpoints`] : []), ...values].join(
    ', ',
  )
  switch (exitCode) {
    case 0:
      return `Whole: ${counted}.`
    case 1:
      return `NOT what was signed: ${counted}.`
    case 3:
      return `Nothing contradicts, but not everything can be shown: ${counted}.`
  }
}

/** @throws TypeError when it is no checkpoint at all: that somebody gave the wrong file says nothing about the log */
async function checkpointIn(file: string): Promise<string> {
  const note = await readNote(file)
  try {
    readCheckpoint(note)
  } catch (cause) {
    throw new TypeError(`${file} is no checkpoint: --since takes the file \`checkpoint\` of an older export`, { cause })
  }
  return note
}
