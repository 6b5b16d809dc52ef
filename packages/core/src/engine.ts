/**
 * The engine runs one command in one transaction: lock the intent, read the facts, compute the transition, write state,
 * outbox and exactly one audit leaf, and only after the commit wake whoever waits.
 *
 * @module
 */
import { auditLeaf, PERMIT_VALUE } from './audit.js'
import type { Judgement } from './claim.js'
import type { Declaration } from './declaration.js'
import { DEFAULT_DENIAL_MEMORY_SECONDS, denialOf } from './denial.js'
import { SilentAuthError } from './errors.js'
import { type IntentId, type KeyId, newId, type ProjectId } from './id.js'
import type { EpochMs, Json, JsonObject } from './json.js'
import { type Facts, judge } from './judgement.js'
import { type Command, clock, transition } from './lifecycle.js'
import { isAnnounced, type OutboxRow, sequenceOf } from './outbox.js'
import type { Policy } from './policy.js'
import { type PolicySet, policySet } from './policy-set.js'
import { permitClaimsOf } from './public-intent.js'
import type { Agent, KeyPrincipal, Project, ProjectKey } from './registry.js'
import type { LifecycleEvent, Sequencing, State, Transition } from './state.js'
import type { Store, StoreReader, StoreTransaction } from './store.js'
import { type Waiters, waiters } from './waiters.js'

export interface EngineOptions {
  readonly store: Store
  readonly projectId: ProjectId
  /** `iss` of permits: the log commits to what each of them says. */
  readonly issuer: string
  /** Names of the notifiers that are to hear of changes. @default none */
  readonly channels?: readonly string[] | undefined
  /** How long a person's denial answers the same request again; 0: not at all. @default 600 */
  readonly denialMemorySeconds?: number | undefined
  /** Called after each commit: there is a new leaf. */
  readonly onCommit?: (() => void) | undefined
  /** `deferred`: high and critical permits wait for their leaf (P6). @default the store's */
  readonly sequencing?: Sequencing | undefined
}

export interface Engine {
  readonly store: Store
  readonly sequencing: Sequencing
  readonly projectId: ProjectId
  readonly waiters: Waiters
  /** An intent of this project as the clock has it now. @throws SilentAuthError `NOT_FOUND` */
  read(id: IntentId): Promise<{ state: State; now: EpochMs }>
  /** One command on one intent. @throws SilentAuthError why nothing changed; or a refusal that was itself written (E8) */
  change(id: IntentId, work: (change: Change) => Promise<Prepared>): Promise<Transition>
  /** A transaction of its own kind, for what concerns more than one intent. It writes its one leaf by `Writer.leaf`. */
  write<Result>(work: (writer: Writer) => Promise<Result>): Promise<Result>
  facts(reader: StoreReader, declaration: Pick<Declaration, 'keyId' | 'source' | 'agentId'>): Promise<Facts>
  /** Who declared it, if it is registered: as it is now. */
  agent(reader: StoreReader, declaration: Pick<Declaration, 'source' | 'agentId'>): Promise<Agent | undefined>
  /** The key as it is now. @throws SilentAuthError `UNAUTHORIZED` */
  key(reader: StoreReader, principal: KeyPrincipal): Promise<ProjectKey>
  onChange(listener: (id: IntentId) => void): () => void
}

/** What a command is made from. */
export interface Change {
  readonly tx: StoreTransaction
  readonly state: State
  readonly now: EpochMs
  readonly facts: Facts
  readonly judgement: Judgement
}
export interface Prepared {
  readonly command: Command
  /** Who did it, as the log names it. */
  readonly actor: string
  /** What the log commits to without showing it. */
  readonly values?: Readonly<Record<string, Json>>
  /** What is written with it, if it changes anything. */
  readonly beside?: ((tx: StoreTransaction, after: State) => Promise<void>) | undefined
}

export interface Writer {
  readonly tx: StoreTransaction
  /** The store's clock: as the transaction began, or after the last `lock`. All that is written carries it. */
  readonly now: EpochMs
  /** An intent of this project, which nobody else changes before the commit; reads the clock again. @throws SilentAuthError `NOT_FOUND` */
  lock(id: IntentId): Promise<State>
  /** Nobody else who locks this key goes on before the commit; reads the clock again. */
  lockKey(id: KeyId): Promise<void>
  /** Stores the outcome of a transition; `leaf` must be called once with all events of the command. */
  save(before: State | undefined, done: Transition): Promise<void>
  /** @param about the intent of a leaf whose events name none. @default the first that they name */
  leaf(
    actor: string,
    events: readonly LogEvent[],
    values?: Readonly<Record<string, Json>>,
    about?: IntentId,
  ): Promise<void>
}
export interface LogEvent {
  readonly type: string
  readonly intentId: IntentId | undefined
  readonly data: JsonObject
}

export function engine({
  store,
  projectId,
  issuer,
  channels = [],
  denialMemorySeconds = DEFAULT_DENIAL_MEMORY_SECONDS,
  onCommit,
  sequencing = store.sequencing,
}: EngineOptions): Engine {
  const waiting = waiters()
  const listeners = new Set<(id: IntentId) => void>()
  /** By the documents and not by their revision: after a failover the same one may be of others. */
  let compiled: { policies: readonly Policy[]; set: PolicySet } | undefined

  const project = async (reader: StoreReader): Promise<Project> => {
    const found = await reader.project(projectId)
    if (!found) throw new SilentAuthError('NOT_FOUND', `project ${projectId} does not exist`)
    return found
  }

  const policies = async (reader: StoreReader): Promise<PolicySet> => {
    const { policies: stored } = await reader.policies(projectId)
    if (compiled?.policies !== stored) compiled = { policies: stored, set: policySet(stored) }
    return compiled.set
  }

  const own: Engine = {
    store,
    sequencing,
    projectId,
    waiters: waiting,

    async read(id) {
      const state = await store.intent(id)
      if (state?.declaration.projectId !== projectId) throw notFound(id)
      const now = await store.now()
      return { state: clock(state, now).state, now }
    },

    async change(id, work) {
      const done = await own.write(async (writer) => {
        const state = await writer.lock(id)
        const { tx, now } = writer
        const facts = await own.facts(tx, state.declaration)
        const judgement = judge(state.declaration, facts, now)
        const { command, actor, values, beside } = await work({ tx, state, now, facts, judgement })
        const result = transition(state, command, now)
        if (result.events.length > 0 || result.state !== state) {
          await writer.save(state, result)
          await beside?.(tx, result.state)
          await writer.leaf(actor, result.events, values, id)
        }
        return result
      })
      if (done.refusal) throw done.refusal
      return done
    },

    async write(work) {
      const changed = new Set<IntentId>()
      const result = await store.transaction(async (tx) => {
        changed.clear()
        let now = await tx.now()
        let permit: Readonly<Record<string, Json>> = {}
        return work({
          tx,
          get now() {
            return now
          },
          async lock(id) {
            const state = await tx.lockIntent(id)
            if (state?.declaration.projectId !== projectId) throw notFound(id)
            // Whoever waited for the row must not write with the time at which the wait began.
            now = await tx.now()
            return state
          },
          async lockKey(id) {
            await tx.lockKey(id)
            now = await tx.now()
          },
          async save(before, done) {
            const { id } = done.state.declaration
            if (before === undefined) await tx.insertIntent(done.state)
            else await tx.updateIntent(done.state)
            const rows = done.events.filter(isAnnounced).map((event) => outboxRow(event, done.state, channels, now))
            if (rows.length > 0) await tx.enqueue(rows)
            const denial = denialOf(before, done.state, denialMemorySeconds, now)
            if (denial) await tx.putDenial(denial)
            changed.add(id)
            permit = { ...permit, ...permitValue(done, issuer) }
          },
          async leaf(actor, events, values = {}, about = undefined) {
            const intentId = events.find((event) => event.intentId !== undefined)?.intentId ?? about
            await tx.appendLeaf(
              auditLeaf({ projectId, actor, intentId, events, values: { ...values, ...permit } }, now),
            )
          },
        })
      })
      onCommit?.()
      // After the commit: a waiter that reads again finds what it was woken for.
      store.changes?.publish([...changed])
      for (const id of changed) {
        waiting.wake(id)
        for (const listener of listeners) tell(listener, id)
      }
      return result
    },

    async facts(reader, { keyId, source, agentId }) {
      const [projectNow, directory, key, agent, set, epochs] = await Promise.all([
        project(reader),
        reader.directory(projectId),
        reader.key(keyId),
        own.agent(reader, { agentId, source }),
        policies(reader),
        reader.logEpochs(projectId),
      ])
      const cautiousUntil = Math.max(0, ...epochs.map((epoch) => epoch.cautiousUntil))
      return { project: projectNow, directory, key, agent, policies: set, cautiousUntil }
    },

    async agent(reader, { source, agentId }) {
      // By its id where the key was bound: a new fingerprint must not take old intents out of its kill switch.
      if (agentId !== undefined) return reader.agent(agentId)
      return source === undefined ? undefined : reader.agentByFingerprint(projectId, source)
    },

    async key(reader, principal) {
      const key = await reader.key(principal.id)
      if (key?.projectId !== projectId || key.status !== 'active') {
        throw new SilentAuthError('UNAUTHORIZED', `key ${principal.id} is not active in this project`)
      }
      return key
    },

    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return own
}

/** What a permit says, from the moment that it is minted: the log commits to it, and a proof shows it. */
function permitValue({ state, permits }: Transition, issuer: string): Readonly<Record<string, Json>> {
  const minted = permits.filter(({ iat }) => iat !== undefined)
  if (minted.length > 1) throw new TypeError('one transition mints one permit')
  const [permit] = minted
  return permit ? { [PERMIT_VALUE]: permitClaimsOf(state, permit, issuer) as unknown as JsonObject } : {}
}

/** The change is committed: whoever fails to hear of it must not make it look undone. */
function tell(listener: (id: IntentId) => void, id: IntentId): void {
  try {
    listener(id)
  } catch {}
}

function outboxRow(
  { type, intentId }: LifecycleEvent,
  state: State,
  channels: readonly string[],
  now: EpochMs,
): OutboxRow {
  const { projectId } = state.declaration
  const sequence = sequenceOf(type, state)
  return { id: newId('out'), projectId, intentId, event: type, sequence, createdAt: now, channels }
}

export function notFound(id: IntentId): SilentAuthError {
  return new SilentAuthError('NOT_FOUND', `intent ${id} is not there for this credential`, { intentId: id })
}
