/**
 * An export of the audit log, checked by a stranger: every leaf hashed again, the tree over them compared with a checkpoint whose
 * key the stranger trusts, with older checkpoints that somebody kept, and the events replayed. Leaves are read one by one.
 *
 * @module
 */
import {
  type AuditFinding,
  type AuditFindings,
  auditFindings,
  type LeafPlace,
  MOST_FINDINGS,
  reasonOf,
} from './audit-findings.js'
import { type AuditLine, completedBy, flawsOf, hashOf, type LeafBody, parseAuditLine, WITHHELD } from './audit-line.js'
import { auditReplay } from './audit-replay.js'
import { type OpenCheckpoint, openCheckpoint } from './checkpoint.js'
import { isSilentAuthError } from './errors.js'
import { checkEpochs, flawOfOlder, type LoggedRestore, restoresOf } from './log-restore.js'
import { type OfferedKeys, trustedKey } from './log-trust.js'
import { EMPTY_TREE, growTree, isTreeHash, type TreeEdge, type TreeHash, treeRoot } from './merkle-tree.js'

export interface ExportedAudit {
  /** Of `audit.jsonl`, in its order; empty ones are ignored at the end. */
  readonly lines: AsyncIterable<string> | Iterable<string>
  /** The signed note. */
  readonly checkpoint: string
  readonly vkeys: OfferedKeys
}

export interface VerifyAuditOptions {
  /** Fingerprint or text form of the key of the log, from outside. */
  readonly trust: string
  /** Checkpoints that somebody kept: the log must contain each of them. */
  readonly olderCheckpoints?: readonly string[] | undefined
}

export interface AuditVerdict {
  /** 0 whole, 1 tampered, 3 incomplete; as `silentauth audit verify` ends. */
  readonly exitCode: 0 | 1 | 3
  readonly leaves: number
  /** Values that were erased behind their commitments. */
  readonly erased: number
  /** Values that were not shown to who exported it. */
  readonly withheld: number
  /** Undefined when it is not signed by the trusted key. */
  readonly checkpoint: OpenCheckpoint | undefined
  /** In the order of the log; at most 100. */
  readonly findings: readonly AuditFinding[]
  /** All of them. */
  readonly found: number
}

/** Lines that are no leaves, after which nobody reads on. */
const MOST_STRANGERS = 10_000

/** Type of the event that says of an intent: the values behind its commitments were taken away. */
export const VALUES_ERASED = 'values.erased'

/** @throws TypeError when `trust` is neither a fingerprint nor a key: wrong usage, which ends with 2 */
export async function verifyAudit(exported: ExportedAudit, options: VerifyAuditOptions): Promise<AuditVerdict> {
  const key = await trustedKey(options.trust, exported.vkeys)
  const findings = auditFindings()
  if (!key) findings.add('tampered', undefined, 'vkey', 'it is not the key that is trusted')
  const open = async (note: string, field: string): Promise<OpenCheckpoint | undefined> => {
    if (!key) return undefined
    try {
      return await openCheckpoint(note, [key])
    } catch (error) {
      if (!isSilentAuthError(error)) throw error
      findings.add('tampered', undefined, `${field}/${error.field ?? ''}`, reasonOf(error))
      return undefined
    }
  }
  const head = await open(exported.checkpoint, 'checkpoint')
  const older: OpenCheckpoint[] = []
  for (const note of options.olderCheckpoints ?? []) {
    const opened = await open(note, 'older_checkpoint')
    if (opened) older.push(opened)
  }

  const sizes = new Set([...(head ? [head] : []), ...older].map(({ size }) => size))
  const read = await readLeaves(exported.lines, head, sizes, findings)
  checkHead(head, read, findings)
  if (head) {
    checkEpochs(head, read.restores, findings)
    const rootAt = (size: number) => read.roots.get(size)?.computed
    for (const checkpoint of older) {
      const flaw = flawOfOlder(checkpoint, head, rootAt, read.restores)
      if (flaw) findings.add(flaw.kind, undefined, flaw.field, flaw.reason)
    }
  }
  return {
    exitCode: findings.tampered ? 1 : findings.count > 0 ? 3 : 0,
    leaves: read.count,
    erased: read.erased,
    withheld: read.withheld,
    checkpoint: head,
    findings: findings.sorted(),
    found: findings.count,
  }
}

/** What reading every leaf gave. */
interface ReadLeaves {
  readonly count: number
  readonly erased: number
  readonly withheld: number
  /** Heads of the tree at the sizes that were asked for: by the bodies, and by the hashes written beside them. */
  readonly roots: ReadonlyMap<number, { readonly computed: TreeHash; readonly written: TreeHash }>
  /** Leaves whose body does not have the hash that is written beside it. */
  readonly unlike: readonly LeafPlace[]
  /** Subtrees that are not those over the leaves, with the leaf that completes them. */
  readonly otherNodes: readonly (LeafPlace & { readonly level: number; readonly first: number })[]
  readonly last: LeafPlace | undefined
  readonly restores: readonly LoggedRestore[]
}

async function readLeaves(
  lines: ExportedAudit['lines'],
  head: OpenCheckpoint | undefined,
  sizes: ReadonlySet<number>,
  findings: AuditFindings,
): Promise<ReadLeaves> {
  const replay = auditReplay()
  const erasures = erasedValues()
  const withheld = withheldValues()
  const roots = new Map<number, { computed: TreeHash; written: TreeHash }>()
  const unlike: LeafPlace[] = []
  const otherNodes: (LeafPlace & { level: number; first: number })[] = []
  const restores: LoggedRestore[] = []
  let computed: TreeEdge = EMPTY_TREE
  let written: TreeEdge = EMPTY_TREE
  let last: LeafPlace | undefined
  let expected = 0
  let count = 0
  let ended = false
  let strangers = 0
  // Behind a gap every subtree differs, which would say nothing.
  let aligned = true
  for await (const text of lines) {
    if (text === '') {
      ended = true
      continue
    }
    const line = parseAuditLine(text)
    count++
    if (!('body' in line) || ended) {
      const { field, reason } = 'body' in line ? { field: '', reason: 'it follows an empty line' } : line
      findings.add('tampered', { sequence: expected }, field, reason)
      expected++
      aligned = false
      // Another file than an export: its end would say no more.
      if (++strangers === MOST_STRANGERS) break
      continue
    }
    const place: LeafPlace = { leaf: line.id, sequence: line.sequence }
    if (line.sequence !== expected) {
      aligned = false
      const missing = line.sequence - expected
      const reason = missing > 0 ? `${missing} missing before it` : `${expected} was expected`
      findings.add('tampered', place, 'sequence', reason)
    }
    expected = line.sequence + 1
    last = place

    const { body, flaws } = flawsOf(line)
    for (const { field, reason } of flaws) findings.add('tampered', place, field, reason)
    if (body && head && body.project !== head.projectId) {
      findings.add('tampered', place, 'body', 'it is of another project')
    }
    const hash = hashOf(line)
    if (!isTreeHash(line.hash)) findings.add('tampered', place, 'hash', 'it is no hash')
    else if (line.hash !== hash && unlike.length < MOST_FINDINGS) unlike.push(place)

    const grown = growTree(computed, [hash])
    computed = grown.tree
    written = growTree(written, [isTreeHash(line.hash) ? line.hash : hash]).tree
    const places = completedBy(count - 1)
    if (aligned && line.nodes.length !== places.length) {
      findings.add('tampered', place, 'nodes', `${line.nodes.length} subtrees, and it completes ${places.length}`)
    } else if (aligned) {
      grown.nodes.forEach((node, index) => {
        if (node.hash === line.nodes[index] || otherNodes.length >= MOST_FINDINGS) return
        otherNodes.push({ ...place, level: node.level, first: count - 2 ** node.level })
      })
    }
    if (sizes.has(count)) roots.set(count, { computed: treeRoot(computed), written: treeRoot(written) })
    for (const field of withheld.oddOnes(line)) findings.add('tampered', place, field, 'others are not withheld')
    if (!body) continue
    for (const { field, reason } of replay.next(body)) findings.add('tampered', place, field, reason)
    erasures.next(line, body)
    restores.push(...restoresOf(body, place, findings))
  }
  erasures.check(findings)
  return { count, erased: erasures.count, withheld: withheld.count, roots, unlike, otherNodes, last, restores }
}

/** Bodies, hashes or subtrees: whichever makes the signed head was not changed. */
function checkHead(head: OpenCheckpoint | undefined, read: ReadLeaves, findings: AuditFindings): void {
  const { count, roots, unlike, otherNodes } = read
  const found = head && roots.get(head.size)
  const whole = head !== undefined && found?.computed === head.root
  for (const place of unlike) {
    const reason = 'the body does not have the hash that stands beside it'
    findings.addCause(place, whole ? 'hash' : 'body', reason)
  }
  if (whole || !head) {
    for (const place of otherNodes) {
      findings.add('tampered', place, `nodes/${place.level - 1}`, 'it is not the subtree over its leaves')
    }
  }
  if (!head) return
  if (!found) {
    const reason = `the checkpoint is over ${head.size} leaves, and ${count} are there`
    findings.add('tampered', { sequence: count }, 'checkpoint/size', reason)
  } else if (!whole && (unlike.length === 0 || found.written !== head.root)) {
    for (const { sequence, first } of suspectsOf(read)) {
      const reason = `leaf ${first === sequence ? first : `${first} or ${sequence}`} is not the one that was signed`
      findings.add('tampered', { sequence }, 'body', reason)
    }
    findings.add('tampered', undefined, 'checkpoint/root', 'the leaves are not those that were signed')
  }
  if (count > head.size) {
    const reason = `${count - head.size} leaves are behind the checkpoint, and nobody signed them`
    findings.add('incomplete', { sequence: head.size }, 'checkpoint/size', reason)
  }
}

/** The smallest subtrees that differ from what is stored beside the leaves; where none does, the leaf that has no neighbour yet. */
function suspectsOf({ otherNodes, last, count }: ReadLeaves): readonly { sequence: number; first: number }[] {
  const pairs = otherNodes.filter(({ level }) => level === 1)
  if (pairs.length > 0) return pairs
  return otherNodes.length === 0 && last && count % 2 === 1 ? [{ sequence: last.sequence, first: last.sequence }] : []
}

/** A value may be gone from behind its commitment only where a later leaf says that the values of its intent were erased. */
function erasedValues() {
  const missing = new Map<string, (LeafPlace & { readonly field: string })[]>()
  let count = 0
  return {
    get count() {
      return count
    },
    next({ id, sequence, payloads }: AuditLine, body: LeafBody): void {
      for (const [field, payload] of Object.entries(payloads)) {
        if (payload !== null) continue
        count++
        // Without an intent nothing erases it: a place of its own, which no event takes away.
        const key = body.intent_id ?? id
        missing.set(key, [...(missing.get(key) ?? []), { leaf: id, sequence, field }])
      }
      for (const event of body.events) {
        if (event.type === VALUES_ERASED && event.intent_id !== null) missing.delete(event.intent_id)
      }
    },
    check(findings: AuditFindings): void {
      for (const { field, ...place } of [...missing.values()].flat()) {
        findings.add('tampered', place, `payloads/${field}`, 'its value is gone, and no leaf says that it was erased')
      }
    },
  }
}

/** Of one export all values are withheld, or none: else a value could be hidden from a reader by a word. */
function withheldValues() {
  let count = 0
  let shown = 0
  return {
    get count() {
      return count
    },
    oddOnes({ payloads }: AuditLine): readonly string[] {
      const odd: string[] = []
      for (const [field, payload] of Object.entries(payloads)) {
        if (payload === null) continue
        if (payload === WITHHELD) count++
        else shown++
        if (count > 0 && shown > 0) odd.push(`payloads/${field}`)
      }
      return odd
    },
  }
}
