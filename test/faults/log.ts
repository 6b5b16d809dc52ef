/**
 * The log of a cluster: each node runs a sequencer, and holds the last checkpoint in a file of its own, outside of the database.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { open, readFile, rename } from 'node:fs/promises'
import {
  EMPTY_TREE,
  growTree,
  type HeldCheckpoint,
  heldInMemory,
  logName,
  noteSigner,
  type PrivateJwk,
  type ProjectId,
  privateKeySigner,
  type Sequencer,
  type Store,
  type StoredLeaf,
  sequencer,
  treeRoot,
} from '@silentauth/core'

export const ISSUER = 'urn:silentauth:faults'

export interface LogOptions {
  readonly store: Store
  readonly projectId: ProjectId
  readonly logKey: PrivateJwk
}

/** @throws SilentAuthError `LOG_REWRITTEN` when what is stored is not what is held */
export async function openLog({ store, projectId, logKey }: LogOptions, held: HeldCheckpoint): Promise<Sequencer> {
  const signer = await noteSigner(logName(ISSUER, projectId), await privateKeySigner(logKey))
  return sequencer({ store, projectId, issuer: ISSUER, signer, held })
}

/** Gives every leaf its place below a checkpoint. */
export async function settled(options: LogOptions): Promise<void> {
  await using log = await openLog(options, heldInMemory())
  await log.settle()
}

/**
 * How many of these are not so: each checkpoint that a node held is on the chain, and the tree that was signed is the tree over the
 * leaves.
 */
export async function brokenTrees(
  options: LogOptions,
  leaves: readonly StoredLeaf[],
  files: readonly string[],
): Promise<number> {
  let broken = 0
  for (const file of files) {
    const note = await heldIn(file).read()
    await openLog(options, heldInMemory(note)).then(
      (log) => log[Symbol.asyncDispose](),
      (error: unknown) => {
        console.error(`  held in ${file}: ${error}`)
        broken++
      },
    )
  }
  const { tree } = growTree(
    EMPTY_TREE,
    leaves.map(({ hash }) => hash),
  )
  const signed = await options.store.lastCheckpoint(options.projectId)
  if (signed?.size !== leaves.length || signed.root !== treeRoot(tree)) broken++
  return broken
}

/** Replaced whole: a node may be killed while it writes. */
export function heldIn(file: string): HeldCheckpoint {
  return {
    async read() {
      return existsSync(file) ? readFile(file, 'utf8') : undefined
    },
    async write(note) {
      const next = `${file}.next`
      await using handle = await open(next, 'w')
      await handle.writeFile(note)
      await handle.sync()
      await rename(next, file)
    },
  }
}
