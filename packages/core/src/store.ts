/**
 * Where intents live. A store reads and writes what `lifecycle.ts` computed; it decides nothing.
 *
 * @module
 */
import type { AuditLeaf, StoredLeaf } from './audit.js'
import type { Changes } from './changes.js'
import type { Denial, DeniedAction } from './denial.js'
import type { AgentId, IntentId, KeyId, PermitId, ProjectId, SessionId, UserId } from './id.js'
import type { IntentStatus, Verdict } from './intent.js'
import type { Digest, EpochMs } from './json.js'
import type { LogReader, LogWriter } from './log-store.js'
import type {
  ChannelOf,
  ClaimedDelivery,
  DeadDelivery,
  DeadQuery,
  DeliveryClaim,
  DeliveryCounts,
  DeliveryEnd,
  OutboxRow,
  Redrive,
} from './outbox.js'
import type { RevocationQuery, StoredRevocations } from './permit-trace.js'
import type { Policy } from './policy.js'
import type { RecordedResult } from './recorded-result.js'
import type { Agent, Directory, Person, Project, ProjectKey, Session, SignInToken, StoredPolicies } from './registry.js'
import type { State } from './state.js'

export interface Store extends StoreReader, AsyncDisposable {
  /** `deferred`: leaves get their place in the log after the commit, so high and critical permits wait for it. */
  readonly sequencing: 'immediate' | 'deferred'
  /**
   * Runs `work` in one serialisable unit: all of its writes become visible together or not at all. `work` may run more
   * than once, so it must not have other effects, and must use only `tx`: again when the database reports that two
   * transactions collided, and when a row that must be unique was there first (`isConflict`). A `work` that looks first, as
   * every one should, then finds that row; one that conflicts in every run has its caller see the conflict.
   *
   * A write that failed fails the whole, even when `work` catches the error. What `work` throws passes unchanged.
   *
   * @throws SilentAuthError `DB_ERROR`, with the cause; `AUDIT_UNAVAILABLE` when only the leaf could not be written
   * @throws TypeError when called from within `work`, as do the reads of the store itself: they would not see what `tx` wrote
   */
  transaction<Result>(work: (tx: StoreTransaction) => Promise<Result>): Promise<Result>

  // Several nodes over one database.
  /** Absent where only one process can change what is stored, or the others are not heard of. */
  readonly changes?: Changes | undefined
  /** Why decisions should not be taken over this store now, such as commits that a failover could lose (LIFECYCLE R3). */
  faults?(): Promise<readonly string[]>
}

/** Reads that see the latest commit; inside a transaction they also see its own writes. */
export interface StoreReader extends LogReader {
  /** The clock that decides: of the database where it has one of its own. */
  now(): Promise<EpochMs>
  intent(id: IntentId): Promise<State | undefined>
  /** Scope: the bound agent or the key's lineage. */
  intentByIdempotencyKey(scope: string, key: string): Promise<IntentId | undefined>
  intentByPermit(id: PermitId): Promise<IntentId | undefined>
  /** Newest first, by creation and then id; at most `limit`. @throws SilentAuthError `INVALID_FIELD` for a made-up cursor */
  intents(query: IntentQuery): Promise<StatePage>
  /** Those of `ids` that are stored and no longer pending, in any order: the catch-up of waiters. */
  settledAmong(ids: readonly IntentId[]): Promise<readonly IntentId[]>
  /** Intents that the clock must move (`dueAt`), earliest first: pending past expiry, started past the deadline, windows that ended. */
  due(query: DueQuery): Promise<readonly IntentId[]>
  countPending(keyId: KeyId): Promise<number>
  /** How often this principal declared this action before; 0, 1 or more is what matters, so counting may stop at 10. */
  countDeclared(declaredBy: string, action: string): Promise<number>
  /** Intents with the same principal, action and digest whose execution is started, suspended or unknown; oldest first. */
  sameAction(query: SameActionQuery): Promise<readonly IntentId[]>
  /**
   * Intents that were created before an instant or at it, that the clock never moves, and whose outcome is known: oldest
   * first, by creation and then id. What of them may go is for `retention.ts` to say.
   */
  endedIntents(query: EndedQuery): Promise<readonly IntentPlace[]>
  /** From `from` on, ascending; at most `limit`. Payloads stand in the order of their fields. */
  leaves(query: { projectId: ProjectId; from: number; limit: number }): Promise<readonly StoredLeaf[]>

  project(id: ProjectId): Promise<Project | undefined>
  projects(): Promise<readonly Project[]>
  key(id: KeyId): Promise<ProjectKey | undefined>
  keyBySecretHash(secretHash: string): Promise<ProjectKey | undefined>
  keys(projectId: ProjectId): Promise<readonly ProjectKey[]>
  agent(id: AgentId): Promise<Agent | undefined>
  agentByFingerprint(projectId: ProjectId, fingerprint: string): Promise<Agent | undefined>
  agents(projectId: ProjectId): Promise<readonly Agent[]>
  person(id: UserId): Promise<Person | undefined>
  directory(projectId: ProjectId): Promise<Directory>
  policies(projectId: ProjectId): Promise<StoredPolicies>
  sessionByCookieHash(cookieHash: string): Promise<Session | undefined>
  /** What an earlier request with this `Idempotency-Key` did, for 24 hours. */
  request(principal: string, key: string): Promise<RequestRecord | undefined>

  // Recorded results
  recordedResult(projectId: ProjectId, intentId: IntentId): Promise<RecordedResult | undefined>

  // Denials
  /** What a person denied to this principal, while it is remembered. */
  denial(action: DeniedAction): Promise<Denial | undefined>

  // Revocations
  /** What is revoked or stopped now, as far as a verifier somewhere could still accept it (P4). Reads no intents. */
  revocations(query: RevocationQuery): Promise<StoredRevocations>

  // Outbox
  /** When the next delivery of a channel is due, also in the past; undefined: none waits. */
  nextDelivery(channel: ChannelOf): Promise<EpochMs | undefined>
  /** By the name of the channel, also of channels that no process knows any more. */
  deliveryCounts(projectId: ProjectId): Promise<readonly DeliveryCounts[]>
  /** Deliveries that were given up, those of the oldest events first. */
  deadDeliveries(query: DeadQuery): Promise<readonly DeadDelivery[]>
}

export interface StoreTransaction extends StoreReader, LogWriter {
  /** Reads the intent and keeps every other transaction from changing it until this one ends. */
  lockIntent(id: IntentId): Promise<State | undefined>
  /** Conflicts on a taken id, and on a taken idempotency key of the same owner. */
  insertIntent(state: State): Promise<void>
  /**
   * Stores all but the declaration, which stays as it was inserted. Conflicts on a second vote of one person, a permit id of
   * another intent, and a second first use of one approval.
   *
   * @throws TypeError unless this transaction locked or inserted it
   */
  updateIntent(state: State): Promise<void>
  /**
   * Takes it away with its votes, permits, redemptions and recorded result. Its idempotency key stays, and still names it.
   *
   * @throws TypeError unless this transaction locked it
   */
  deleteIntent(id: IntentId): Promise<void>
  appendLeaf(leaf: AuditLeaf): Promise<void>
  enqueue(rows: readonly OutboxRow[]): Promise<void>
  putProject(project: Project): Promise<void>
  putKey(key: ProjectKey): Promise<void>
  /** All but `lastSeenAt` of an agent that is there: that moves by `seeAgent` alone. */
  putAgent(agent: Agent): Promise<void>
  /** Moves `lastSeenAt`, and writes nothing else: whoever stops the agent meanwhile must not be overwritten. */
  seeAgent(id: AgentId, at: EpochMs): Promise<void>
  /** Until this transaction ends, every other that asks for the same waits: for whoever reads the registry to change it. */
  lockRegistry(projectId: ProjectId): Promise<void>
  /** As `lockRegistry`, for one key: for whoever counts what others declare with it at the same time. */
  lockKey(id: KeyId): Promise<void>
  putPerson(person: Person): Promise<void>
  putGroup(projectId: ProjectId, group: string): Promise<void>
  /** Replaces all policies of the project and moves the revision on. */
  putPolicies(projectId: ProjectId, policies: readonly Policy[]): Promise<void>
  /** Sessions, sign-in tokens and requests that have expired may be gone after a put of their kind. */
  putSession(session: Session): Promise<void>
  deleteSession(id: SessionId): Promise<void>
  putSignInToken(token: SignInToken): Promise<void>
  /** Takes the token out: it is there once, whoever asks first. */
  takeSignInToken(tokenHash: string): Promise<SignInToken | undefined>
  /** Conflicts while an earlier record of this principal and key has not expired. */
  putRequest(record: RequestRecord): Promise<void>

  // Recorded results
  /** In place of an earlier one of the same intent. */
  putResult(result: RecordedResult): Promise<void>
  /** @returns whether there was one */
  eraseResult(projectId: ProjectId, intentId: IntentId): Promise<boolean>

  // Denials
  /** In place of an earlier one of the same action; those that have expired may be gone afterwards. */
  putDenial(denial: Denial): Promise<void>
  /** Takes it out, expired or not. */
  takeDenial(action: DeniedAction): Promise<Denial | undefined>

  // Revocations: the traces of permits are written by `insertIntent` and `updateIntent`.
  /** Takes away at most `limit` traces that are of use to nobody at `now`. @returns how many it found */
  forgetPermits(now: EpochMs, limit: number): Promise<number>

  // Outbox
  /** Deliveries that are due, earliest first. Whatever others claim at the same time, nobody gets the same. */
  claimDeliveries(claim: DeliveryClaim): Promise<readonly ClaimedDelivery[]>
  /** What came of it. Without effect when it has ended; only `delivered` still counts once somebody claimed it again. */
  endDelivery(delivery: ClaimedDelivery, end: DeliveryEnd): Promise<void>
  /** Makes deliveries of a channel that were given up due again, as if never tried. @returns how many */
  redriveDeliveries(redrive: Redrive): Promise<number>
  /** Forgets the oldest events that were created before an instant, and their deliveries. @returns how many events */
  pruneOutbox(query: { before: EpochMs; limit: number }): Promise<number>
}

export interface IntentQuery {
  readonly projectId: ProjectId
  readonly status?: IntentStatus | undefined
  readonly decision?: Verdict | undefined
  readonly action?: string | undefined
  readonly source?: string | undefined
  /** `declaration.owner` is one of these; undefined: everybody's. */
  readonly owners?: readonly string[] | undefined
  readonly limit: number
  readonly cursor?: string | undefined
}
export interface StatePage {
  readonly items: readonly State[]
  readonly nextCursor: string | undefined
}
export interface DueQuery {
  readonly projectId: ProjectId
  readonly now: EpochMs
  readonly limit: number
}
export interface EndedQuery {
  readonly projectId: ProjectId
  readonly before: EpochMs
  readonly limit: number
  /** Where the page before ended. */
  readonly after?: IntentPlace | undefined
}
export interface IntentPlace {
  readonly createdAt: EpochMs
  readonly id: IntentId
}
export interface SameActionQuery {
  readonly projectId: ProjectId
  readonly declaredBy: string
  readonly action: string
  readonly paramsDigest: Digest
}

/** One transport retry is answered anew: same key, same body, same principal. */
export interface RequestRecord {
  readonly principal: string
  readonly key: string
  readonly bodyDigest: Digest
  readonly intentId: IntentId
  readonly expiresAt: EpochMs
}

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly nextCursor: string | undefined
}
