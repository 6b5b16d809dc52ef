/**
 * The sequencer of a log: it gives leaves their places, grows the tree over them, signs what it has become, and has that held
 * outside of the database before anybody relies on it. Any number of nodes may run one: places are given under a lock, and of two
 * who grew the tree at once only one is kept.
 *
 * @module
 */
import { leafHash, type StoredLeaf } from './audit.js'
import { logName, logOrigin, signCheckpoint } from './checkpoint.js'
import { isSilentAuthError, SilentAuthError } from './errors.js'
import type { IntentId, LeafId, ProjectId } from './id.js'
import {
  type ChainOptions,
  headOf,
  isNewerHead,
  isSameHead,
  type LogHead,
  requireChain,
  requireGrown,
  rewritten,
  storedNodes,
} from './log-chain.js'
import type { LogReader, StoredCheckpoint } from './log-store.js'
import { growTree, type NodeReader, readEdge, type TreeNode, treeRoot } from './merkle-tree.js'
import type { NoteKey, NoteSigner } from './signed-note.js'
import type { Store, StoreReader } from './store.js'

/** Where the last checkpoint is kept, so that an older database does not pass for the present one. */
export interface HeldCheckpoint {
  /** The note that was written last; undefined: never one. */
  read(): Promise<string | undefined>
  /** Returns once it would survive a loss of power. */
  write(note: string): Promise<void>
}

export interface SequencerOptions {
  readonly store: Store
  readonly projectId: ProjectId
  readonly issuer: string
  /** Of this log alone: named `logName(issuer, projectId)`. */
  readonly signer: NoteSigner
  /** Keys that signed for this log before. @default [] */
  readonly retiredKeys?: readonly NoteKey[] | undefined
  /** @default in memory: what happened before the start is believed */
  readonly held?: HeldCheckpoint | undefined
  /** Leaves in one checkpoint, at most. @default 1000 */
  readonly batch?: number | undefined
  /** How often it looks for leaves of which nobody told it; 0: never. @default 1000 */
  readonly intervalMs?: number | undefined
  /** How long it waits for more leaves after the first. @default 50 */
  readonly gatherMs?: number | undefined
  /** Called with why a round failed; the next one tries again. */
  readonly onFault?: ((error: unknown) => void) | undefined
}

/** A log that lives: what a gate asks of it. */
export interface Sequencer extends AsyncDisposable {
  readonly projectId: ProjectId
  /** Of the log, as `--trust` takes its fingerprint. */
  readonly vkey: string
  /** The newest checkpoint that is held outside. */
  head(): StoredCheckpoint | undefined
  /** There may be new leaves. */
  wake(): void
  /** Resolves once every leaf that was committed before is in a checkpoint that is held outside. @throws why it is not */
  settle(): Promise<void>
  /**
   * Compares what is stored with what is known from outside: within each transaction that relies on it. One read, unless
   * another node has signed since; what the last round found wrong stays so until a round finds it right.
   *
   * @throws SilentAuthError `LOG_REWRITTEN`
   */
  requireWhole(reader: StoreReader): Promise<void>
  /** Whether these leaves have their place below a checkpoint that is held. */
  covers(leaves: readonly { readonly sequence: number | undefined }[]): boolean
  /** After leaves that issue permits are covered. @returns what ends it */
  onSequenced(listener: (ids: readonly IntentId[]) => void): () => void
  /** After each checkpoint that is held. @returns what ends it */
  onCheckpoint(listener: (checkpoint: StoredCheckpoint) => void): () => void
}

/**
 * Opens the log: what is stored must be what was signed and is held.
 *
 * @throws SilentAuthError `LOG_REWRITTEN` when it is not; TypeError for a signer of another log
 */
export async function sequencer(options: SequencerOptions): Promise<Sequencer> {
  const { store, projectId, issuer, signer, batch = 1000, intervalMs = 1000, gatherMs = 50, onFault } = options
  const held = options.held ?? heldInMemory()
  const log = logName(issuer, projectId)
  if (signer.name !== log) throw new TypeError(`the key of this log is named ${log}`)
  const chain: ChainOptions = { projectId, keys: [signer, ...(options.retiredKeys ?? [])] }
  const sequenced = listeners<readonly IntentId[]>()
  const checkpoints = listeners<StoredCheckpoint>()

  const note = await held.read()
  /** The newest head that this process has seen to be on the chain; nothing stored may fall behind it. */
  let known: LogHead | undefined = note === undefined ? undefined : await headOf(note, chain, 'held')
  let head = await requireChain(store, chain, known)
  known = head
  /** What the last round found wrong: rows beside an unchanged checkpoint may be what was written to. */
  let broken: SilentAuthError | undefined
  if (head && head.note !== note) await held.write(head.note)

  /** @returns whether there may be more */
  async function place(): Promise<boolean> {
    if (store.sequencing === 'immediate') return false
    const placed = await store.transaction(async (tx) => {
      await tx.lockLog(projectId)
      return tx.placeLeaves(projectId, batch)
    })
    return placed === batch
  }

  /** Signs what has come since the last checkpoint. @returns whether there may be more */
  async function sign(): Promise<boolean> {
    const before = await requireChain(store, chain, known)
    const from = before?.size ?? 0
    const leaves = await store.leaves({ projectId, from, limit: batch })
    if (leaves.length > 0) {
      requireWholeLeaves(projectId, leaves, from)
      const grown = growTree(
        await readEdge(from, storedNodes(store, projectId)),
        leaves.map(({ hash }) => hash),
      )
      const next = { epoch: before?.epoch ?? 0, size: grown.tree.size, root: treeRoot(grown.tree) }
      if (before)
        await requireGrown(projectId, before, next, grownNodes(store, projectId, grown.nodes, leaves), 'checkpoint')
      const origin = logOrigin(log, next.epoch)
      const signed = await signCheckpoint({ origin, size: next.size, root: next.root }, signer)
      const kept = await store.transaction(async (tx) => {
        await tx.lockLog(projectId)
        // Another node was first; what it signed is found in the next round.
        if (!isSameHead(await tx.lastCheckpoint(projectId), before)) return undefined
        await tx.putTreeNodes(projectId, grown.nodes)
        const checkpoint: StoredCheckpoint = { ...next, projectId, note: signed, at: await tx.now() }
        await tx.putCheckpoint(checkpoint)
        return checkpoint
      })
      await hold(kept ?? before)
      if (kept) sequenced.tell(issuedIn(leaves))
      return kept === undefined || leaves.length === batch
    }
    await hold(before)
    return false
  }

  async function hold(checkpoint: StoredCheckpoint | undefined): Promise<void> {
    if (checkpoint === undefined || !isNewerHead(checkpoint, head)) return
    if (isNewerHead(checkpoint, known)) known = checkpoint
    await held.write(checkpoint.note)
    head = checkpoint
    checkpoints.tell(checkpoint)
  }

  async function round(): Promise<void> {
    try {
      for (;;) {
        const placing = await place()
        const signing = await sign()
        if (!placing && !signing) break
      }
      broken = undefined
    } catch (error) {
      if (isSilentAuthError(error) && error.code === 'LOG_REWRITTEN') broken = error
      throw error
    }
  }

  const rounds = oneAtATime(round)
  let gathering: ReturnType<typeof setTimeout> | undefined
  let closed = false
  const run = (): void => {
    gathering = undefined
    rounds.next().catch((error: unknown) => {
      if (!closed) onFault?.(error)
    })
  }
  const timer = intervalMs === 0 ? undefined : setInterval(run, intervalMs)
  timer?.unref?.()

  return {
    projectId,
    vkey: signer.vkey,
    head: () => head,

    wake() {
      if (closed || gathering !== undefined) return
      gathering = setTimeout(run, gatherMs)
      gathering.unref?.()
    },

    async settle() {
      if (closed) throw new SilentAuthError('AUDIT_UNAVAILABLE', `the log of ${projectId} is closed`)
      await rounds.next()
    },

    async requireWhole(reader) {
      if (broken) throw broken
      const last = await reader.lastCheckpoint(projectId)
      if (isSameHead(last, known)) return
      // Held again before it is signed upon; here it is enough that it is on the chain.
      const found = await requireChain(reader, chain, known)
      if (found && isNewerHead(found, known)) known = found
    },

    covers: (leaves) => leaves.every(({ sequence }) => sequence !== undefined && sequence < (head?.size ?? 0)),
    onSequenced: sequenced.add,
    onCheckpoint: checkpoints.add,

    async [Symbol.asyncDispose]() {
      if (closed) return
      closed = true
      clearInterval(timer)
      clearTimeout(gathering)
      // What was committed last is signed too; what cannot be is found at the next start.
      await rounds.next().catch(() => undefined)
      await rounds.idle()
    },
  }
}

/** What a held checkpoint is without a place outside: it holds the process itself to what it has seen. */
export function heldInMemory(note?: string): HeldCheckpoint {
  let held = note
  return {
    read: async () => held,
    async write(newer) {
      held = newer
    },
  }
}

/** Stored wrong, a leaf would be in the tree for good. */
function requireWholeLeaves(projectId: ProjectId, leaves: readonly StoredLeaf[], from: number): void {
  for (const [index, { id, sequence, body, hash }] of leaves.entries()) {
    if (sequence !== from + index) throw rewritten(projectId, 'leaf', `no leaf has place ${from + index}`)
    if (leafHash(body) !== hash || idIn(body) !== id) {
      throw rewritten(projectId, 'leaf', `the leaf at place ${sequence} is not the one that was written`)
    }
  }
}

function idIn(body: string): LeafId | undefined {
  try {
    return JSON.parse(body).id
  } catch {
    return undefined
  }
}

/** What is stored, with what is about to be. */
function grownNodes(
  reader: LogReader,
  projectId: ProjectId,
  nodes: readonly TreeNode[],
  leaves: readonly StoredLeaf[],
): NodeReader {
  const fresh = new Map<string, string>()
  for (const { level, index, hash } of nodes) fresh.set(`${level}/${index}`, hash)
  for (const { sequence, hash } of leaves) fresh.set(`0/${sequence}`, hash)
  const stored = storedNodes(reader, projectId)
  return async (places) => {
    const missing = places.filter(({ level, index }) => !fresh.has(`${level}/${index}`))
    const found = await stored(missing)
    const all = new Map(missing.map(({ level, index }, at) => [`${level}/${index}`, found[at] as string]))
    return places.map(({ level, index }) => (fresh.get(`${level}/${index}`) ?? all.get(`${level}/${index}`)) as string)
  }
}

/** Only a hint: each of them is looked at. */
function issuedIn(leaves: readonly StoredLeaf[]): readonly IntentId[] {
  const issuing = leaves.filter(({ body }) => body.includes('"permit.issued"'))
  const events = issuing.flatMap(
    ({ body }) => JSON.parse(body).events as { type: string; intent_id: IntentId | null }[],
  )
  const ids = events.flatMap(({ type, intent_id: id }) => (type === 'permit.issued' && id !== null ? [id] : []))
  return [...new Set(ids)]
}

/** Whoever asks while `work` runs gets the run after it, which sees what they have written. */
function oneAtATime(work: () => Promise<void>): { next(): Promise<void>; idle(): Promise<void> } {
  let running: Promise<void> | undefined
  let waiting: Promise<void> | undefined
  const start = (): Promise<void> => {
    const own = work().finally(() => {
      if (running === own) running = undefined
    })
    running = own
    return own
  }
  return {
    next() {
      if (running === undefined) return start()
      waiting ??= running
        .catch(() => undefined)
        .then(() => {
          waiting = undefined
          return start()
        })
      return waiting
    },
    async idle() {
      while (running ?? waiting) await (waiting ?? running)?.catch(() => undefined)
    },
  }
}

interface Listeners<Value> {
  add(listener: (value: Value) => void): () => void
  tell(value: Value): void
}

/** What was signed stands: whoever fails to hear of it must not make it look undone. */
function listeners<Value>(): Listeners<Value> {
  const all = new Set<(value: Value) => void>()
  return {
    add(listener) {
      all.add(listener)
      return () => all.delete(listener)
    },
    tell(value) {
      for (const listener of all) {
        try {
          listener(value)
        } catch {}
      }
    },
  }
}
