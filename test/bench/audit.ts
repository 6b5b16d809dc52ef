/**
 * What the tree over the audit log costs: appends to a SQLite file with and without a sequencer in the same run, and proofs against the
 * size of the tree. Targets: 1.5× in batches; proofs grow with the logarithm of the size.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  auditLeaf,
  consistencyProof,
  EMPTY_TREE,
  generateSigningKey,
  growTree,
  inclusionProof,
  isIncluded,
  logName,
  newId,
  noteSigner,
  type ProjectId,
  privateKeySigner,
  sequencer,
  type TreePlace,
  treeRoot,
} from '@silentauth/core'
import { sqliteStore } from '@silentauth/store/sqlite'

const PROJECT: ProjectId = 'prj_bench'
const ISSUER = 'urn:silentauth:bench'
const TARGET_RATIO = 1.5
const LEAVES = 2000
/** At the same time: what a busy server commits together. */
const AT_ONCE = 64
const ROUNDS = 5
const SIZES = [1000, 10_000, 100_000, 1_000_000]
const PROOFS = 2000

await appends()
await proofs()

async function appends(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-bench-'))
  try {
    const plain: number[] = []
    const treed: number[] = []
    // In turn, so that both meet the same noise.
    for (let round = 0; round <= ROUNDS; round++) {
      const without = await append(path.join(folder, `plain-${round}.db`), false)
      const withTree = await append(path.join(folder, `tree-${round}.db`), true)
      // The first one warms up.
      if (round === 0) continue
      plain.push(without)
      treed.push(withTree)
    }
    const [one, other] = [median(plain), median(treed)]
    const ratio = other / one
    console.log(
      `append a leaf, ${AT_ONCE} at once, SQLite, µs each; target ≤ ${TARGET_RATIO}×, signed to the last leaf`,
    )
    console.log(`  without the tree  ${one.toFixed(1)}`)
    console.log(
      `  with the tree     ${other.toFixed(1)}   ${ratio.toFixed(2)}×  ${ratio <= TARGET_RATIO ? 'ok' : 'MISSED'}`,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** @returns microseconds for a leaf, until everything is signed */
async function append(file: string, withTree: boolean): Promise<number> {
  await using store = await sqliteStore({ file })
  const key = await privateKeySigner(await generateSigningKey('EdDSA'))
  const signer = await noteSigner(logName(ISSUER, PROJECT), key)
  await using log = withTree
    ? await sequencer({ store, projectId: PROJECT, issuer: ISSUER, signer, intervalMs: 0 })
    : undefined
  const started = performance.now()
  for (let done = 0; done < LEAVES; done += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => store.transaction((tx) => tx.appendLeaf(aLeaf()))))
    log?.wake()
  }
  await log?.settle()
  return ((performance.now() - started) * 1000) / LEAVES
}

function aLeaf() {
  const intentId = newId('int')
  const events = [{ type: 'intent.created', intentId, data: { action: 'issue_refund', risk_tier: 'medium' } }]
  const values = { params: { customer_id: 'cust_4821', amount: 250 } }
  return auditLeaf({ projectId: PROJECT, actor: 'system:bench', intentId, events, values }, Date.now())
}

async function proofs(): Promise<void> {
  console.log('prove, µs each; target: O(log n)')
  let first: number | undefined
  for (const size of SIZES) {
    const { levels, root } = treeOf(size)
    const read = (places: readonly TreePlace[]): readonly string[] =>
      places.map(({ level, index }) => levels[level]?.[index] ?? '')
    const inclusion = await timed(async (at) => {
      const index = (at * 7919) % size
      const proof = await inclusionProof(index, size, read)
      const leafHash = levels[0]?.[index] ?? ''
      if (!isIncluded({ leafHash, index, size, proof, root })) throw new Error('the proof proves nothing')
    })
    const consistency = await timed(async (at) => {
      await consistencyProof(1 + ((at * 7919) % (size - 1)), size, read)
    })
    first ??= inclusion
    const times = (inclusion / first).toFixed(2)
    const logarithm = (Math.log2(size) / Math.log2(SIZES[0] ?? 2)).toFixed(2)
    const label = `${size} leaves`.padEnd(16)
    console.log(
      `  ${label} inclusion and check ${inclusion.toFixed(1)}  consistency ${consistency.toFixed(1)}  ${times}× the smallest; log n is ${logarithm}×`,
    )
  }
}

function treeOf(size: number): { levels: string[][]; root: string } {
  const leaf = aLeaf().hash
  const leaves = Array.from({ length: size }, () => leaf)
  const { tree, nodes } = growTree(EMPTY_TREE, leaves)
  const levels: string[][] = [leaves]
  for (const { level, index, hash } of nodes) {
    levels[level] ??= []
    ;(levels[level] as string[])[index] = hash
  }
  return { levels, root: treeRoot(tree) }
}

async function timed(work: (at: number) => Promise<void>): Promise<number> {
  for (let at = 0; at < PROOFS / 10; at++) await work(at)
  const started = performance.now()
  for (let at = 0; at < PROOFS; at++) await work(at)
  return ((performance.now() - started) * 1000) / PROOFS
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN
}
