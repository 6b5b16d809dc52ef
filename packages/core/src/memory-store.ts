/**
 * A store in memory: for tests, and for gates whose decisions need not outlive the process. It behaves like the durable
 * ones: what goes in and out is a copy, transactions come one after the other, and take effect whole or not at all.
 *
 * @module
 */
import { conflict, isConflict, MAX_RUNS } from './conflict.js'
import type { Denial } from './denial.js'
import { SilentAuthError } from './errors.js'
import { exclusive } from './exclusive.js'
import type { IntentId, ProjectId } from './id.js'
import type { EpochMs } from './json.js'
import { type MemoryDenials, memoryDenials } from './memory-denials.js'
import { type MemoryIntents, memoryIntents } from './memory-intents.js'
import { type LeavesDraft, type MemoryLeaves, memoryLeaves } from './memory-leaves.js'
import { type DeliveryRow, type MemoryOutbox, memoryOutbox } from './memory-outbox.js'
import { type MemoryRegistry, memoryRegistry, type RegistryDraft } from './memory-registry.js'
import { type Draft, type Rows, type Table, table } from './memory-table.js'
import { type MemoryTombstones, memoryTombstones, type Tombstone, tombstoneOf } from './memory-tombstones.js'
import { type MemoryTraces, memoryTraces } from './memory-traces.js'
import { changedTraces, type PermitTrace } from './permit-trace.js'
import type { RecordedResult } from './recorded-result.js'
import type { State } from './state.js'
import type { Store, StoreReader, StoreTransaction } from './store.js'

export interface MemoryStoreOptions {
  /** @default Date.now */
  now?: (() => EpochMs) | undefined
  /** `deferred`: leaves wait until they are given places, as in a database with many writers. @default 'immediate' */
  sequencing?: Store['sequencing'] | undefined
}

export function memoryStore({ now = Date.now, sequencing = 'immediate' }: MemoryStoreOptions = {}): Store {
  const tables: Tables = {
    intents: memoryIntents(),
    registry: memoryRegistry(),
    leaves: memoryLeaves(sequencing),
    outbox: memoryOutbox(),
    traces: memoryTraces(),
    denials: memoryDenials(),
    tombstones: memoryTombstones(),
    results: table<RecordedResult>({ key: ({ intentId }) => intentId }),
  }
  const writing = exclusive()
  let closed = false

  function requireOpen(): void {
    if (closed) throw new SilentAuthError('DB_ERROR', 'the store is closed')
  }
  function requireOutside(): void {
    requireOpen()
    if (writing.isInside()) throw new TypeError('within a transaction there is only its tx')
  }

  async function runOnce<Result>(work: (tx: StoreTransaction) => Promise<Result>): Promise<Result> {
    const begun = beginTransaction(tables, now)
    try {
      const result = await work(begun.tx)
      begun.commit()
      return result
    } catch (error) {
      throw begun.failure() ?? error
    } finally {
      begun.end()
    }
  }

  return {
    ...readerOf(tables, undefined, now, requireOutside),
    sequencing,
    async transaction(work) {
      requireOpen()
      return writing.run(async () => {
        for (let run = 1; ; run++) {
          try {
            return await runOnce(work)
          } catch (error) {
            if (!isConflict(error) || run >= MAX_RUNS) throw error
          }
        }
      })
    },
    async [Symbol.asyncDispose]() {
      closed = true
      await writing.idle()
    },
  }
}

interface Tables {
  readonly intents: MemoryIntents
  readonly registry: MemoryRegistry
  readonly leaves: MemoryLeaves
  readonly outbox: MemoryOutbox
  readonly traces: MemoryTraces
  readonly denials: MemoryDenials
  readonly tombstones: MemoryTombstones
  readonly results: Table<RecordedResult>
}

/** What one transaction sees and has written. */
interface Drafts {
  readonly intents: Draft<State>
  readonly registry: RegistryDraft
  readonly leaves: LeavesDraft
  readonly outbox: Draft<DeliveryRow>
  readonly traces: Draft<PermitTrace>
  readonly denials: Draft<Denial>
  readonly tombstones: Draft<Tombstone>
  readonly results: Draft<RecordedResult>
}

function readerOf(tables: Tables, drafts: Drafts | undefined, now: () => EpochMs, guard: () => void): StoreReader {
  const { intents } = tables
  const draft = drafts?.intents
  const registry = drafts?.registry ?? tables.registry.committed
  const leaves = drafts?.leaves ?? tables.leaves.committed
  /** Every read is a promise, as of a database, and refuses once there is nothing to read from. */
  function read<Args extends unknown[], Result>(look: (...args: Args) => Result): (...args: Args) => Promise<Result> {
    return async (...args) => {
      guard()
      return look(...args)
    }
  }
  return {
    now: read(now),
    intent: read((id) => intents.state(id, draft)),
    intentByIdempotencyKey: read(
      (scope, key) =>
        intents.byIdempotencyKey(scope, key, draft) ?? tables.tombstones.find(scope, key, drafts?.tombstones),
    ),
    intentByPermit: read((id) => intents.byPermit(id, draft)),
    intents: read((query) => intents.page(query, draft)),
    settledAmong: read((ids) =>
      [...new Set(ids)].filter((id) => (intents.state(id, draft)?.status ?? 'pending') !== 'pending'),
    ),
    endedIntents: read((query) => intents.ended(query, draft)),
    due: read((query) => intents.due(query, draft)),
    countPending: read((keyId) => intents.countPending(keyId, draft)),
    countDeclared: read((declaredBy, action) => intents.countDeclared(declaredBy, action, draft)),
    sameAction: read((query) => intents.sameAction(query, draft)),
    leaves: read(leaves.from),
    logSize: read(leaves.size),
    leaf: read(leaves.leaf),
    leavesOf: read(leaves.of),
    treeHashes: read(leaves.treeHashes),
    lastCheckpoint: read(leaves.lastCheckpoint),
    logEpochs: read(leaves.epochs),
    project: read(registry.project),
    projects: read(registry.projects),
    key: read(registry.key),
    keyBySecretHash: read(registry.keyBySecretHash),
    keys: read(registry.keys),
    agent: read(registry.agent),
    agentByFingerprint: read(registry.agentByFingerprint),
    agents: read(registry.agents),
    person: read(registry.person),
    directory: read(registry.directory),
    policies: read(registry.policies),
    sessionByCookieHash: read(registry.sessionByCookieHash),
    request: read((principal, key) => registry.request(principal, key, now())),
    nextDelivery: read((channel) => tables.outbox.next(channel, drafts?.outbox)),
    deliveryCounts: read((projectId) => tables.outbox.counts(projectId, drafts?.outbox)),
    deadDeliveries: read((query) => tables.outbox.dead(query, drafts?.outbox)),
    recordedResult: read((projectId, intentId) => resultOf(drafts?.results ?? tables.results, projectId, intentId)),
    denial: read((action) => tables.denials.of(action, now(), drafts?.denials)),
    revocations: read((query) => {
      const { projectId } = query
      const of = { keys: registry.keys(projectId), agents: registry.agents(projectId) }
      return tables.traces.revocations(query, of, drafts?.traces)
    }),
  }
}

function beginTransaction(tables: Tables, now: () => EpochMs) {
  const registry = tables.registry.draft()
  const drafts: Drafts = {
    intents: tables.intents.draft(),
    registry,
    leaves: tables.leaves.draft(),
    outbox: tables.outbox.draft(),
    traces: tables.traces.draft(),
    denials: tables.denials.draft(),
    tombstones: tables.tombstones.draft(),
    results: tables.results.draft(),
  }
  const locked = new Set<IntentId>()
  let ended = false
  let failure: unknown

  function requireRunning(): void {
    if (ended) throw new TypeError('the transaction has ended')
  }
  /** A write that failed fails its transaction, whatever `work` makes of the error: in a database nothing else can happen. */
  function write<Args extends unknown[], Result>(put: (...args: Args) => Result): (...args: Args) => Promise<Result> {
    return async (...args) => {
      requireRunning()
      try {
        return put(...args)
      } catch (error) {
        failure ??= error
        throw error
      }
    }
  }

  const reader = readerOf(tables, drafts, now, requireRunning)
  const tx: StoreTransaction = {
    ...reader,
    async lockIntent(id) {
      locked.add(id)
      return reader.intent(id)
    },
    insertIntent: write((state) => {
      const { id } = state.declaration
      if (drafts.intents.get(id)) throw conflict('intent')
      const tombstone = tombstoneOf(state)
      if (tombstone && tables.tombstones.find(tombstone.scope, tombstone.key, drafts.tombstones)) {
        throw conflict('idempotency_key')
      }
      drafts.intents.put(state)
      for (const trace of changedTraces(state, undefined)) drafts.traces.put(trace)
      locked.add(id)
    }),
    updateIntent: write((state) => {
      const { id } = state.declaration
      const before = drafts.intents.get(id)
      if (!before || !locked.has(id)) throw new TypeError(`${id} was not locked by this transaction`)
      const after = { ...state, declaration: before.declaration }
      drafts.intents.put(after)
      for (const trace of changedTraces(after, before)) drafts.traces.put(trace)
    }),
    deleteIntent: write((id) => {
      const state = drafts.intents.get(id)
      if (!state || !locked.has(id)) throw new TypeError(`${id} was not locked by this transaction`)
      const tombstone = tombstoneOf(state)
      if (tombstone) drafts.tombstones.put(tombstone)
      drafts.intents.delete(id)
      drafts.results.delete(id)
      for (const permit of state.permits) drafts.traces.delete(permit.id)
    }),
    appendLeaf: write(drafts.leaves.append),
    // One transaction at a time: it is the lock.
    lockLog: write(() => {}),
    placeLeaves: write(drafts.leaves.place),
    putTreeNodes: write(drafts.leaves.putNodes),
    putCheckpoint: write(drafts.leaves.putCheckpoint),
    putLogEpoch: write(drafts.leaves.putEpoch),
    erasePayloads: write(drafts.leaves.erase),
    deleteSessions: write(registry.deleteSessions),
    enqueue: write((rows) => tables.outbox.enqueue(rows, drafts.outbox)),
    claimDeliveries: write((claim) => tables.outbox.claim(claim, drafts.outbox)),
    endDelivery: write((delivery, end) => tables.outbox.end(delivery, end, drafts.outbox)),
    redriveDeliveries: write((redrive) => tables.outbox.redrive(redrive, drafts.outbox)),
    pruneOutbox: write((query) => tables.outbox.prune(query, drafts.outbox)),
    putProject: write(registry.putProject),
    putKey: write(registry.putKey),
    putAgent: write(registry.putAgent),
    seeAgent: write(registry.seeAgent),
    // Transactions of a memory store run one at a time.
    async lockRegistry() {},
    async lockKey() {},
    putPerson: write(registry.putPerson),
    putGroup: write(registry.putGroup),
    putPolicies: write(registry.putPolicies),
    putSession: write((session) => registry.putSession(session, now())),
    deleteSession: write(registry.deleteSession),
    putSignInToken: write((token) => registry.putSignInToken(token, now())),
    takeSignInToken: write(registry.takeSignInToken),
    putRequest: write((record) => registry.putRequest(record, now())),
    putResult: write(drafts.results.put),
    eraseResult: write((projectId, intentId) => {
      const found = resultOf(drafts.results, projectId, intentId)
      if (found) drafts.results.delete(intentId)
      return found !== undefined
    }),
    putDenial: write((denial) => tables.denials.put(drafts.denials, denial, now())),
    takeDenial: write((action) => tables.denials.take(drafts.denials, action)),
    forgetPermits: write((at, limit) => tables.traces.forget(drafts.traces, at, limit)),
  }
  return {
    tx,
    failure: () => failure,
    commit() {
      if (failure !== undefined) throw failure
      drafts.intents.commit()
      registry.commit()
      drafts.outbox.commit()
      drafts.traces.commit()
      drafts.denials.commit()
      drafts.tombstones.commit()
      drafts.results.commit()
      drafts.leaves.commit()
    },
    end() {
      ended = true
    },
  }
}

function resultOf(rows: Rows<RecordedResult>, projectId: ProjectId, intentId: IntentId): RecordedResult | undefined {
  const found = rows.get(intentId)
  return found?.projectId === projectId ? found : undefined
}
