/**
 * The registrar keeps the registry: agents and their kill switch, project keys, people and groups. Each change is made by a
 * signed-in person whose role is read in the transaction that makes it, and has its leaf in the log.
 *
 * @module
 */
import type { DelegationDraft } from './delegation.js'
import type { AgentId, KeyId, UserId } from './id.js'
import type { Agent, AgentFramework, Directory, Person, Principal, ProjectKey } from './registry.js'
import type { RiskTier } from './risk.js'

/**
 * What each throws besides: SilentAuthError `FORBIDDEN` without the role, `NOT_FOUND` for what is not of this project,
 * `INVALID_FIELD` for what contradicts the registry. A change that changes nothing writes nothing.
 */
export interface Registrar {
  /** In the order of their ids, as every list here. */
  agents(by: Principal): Promise<readonly Agent[]>
  agent(by: Principal, id: AgentId): Promise<Agent>
  /** The same fingerprint with the same details is the same agent. */
  registerAgent(by: Principal, draft: AgentDraft): Promise<{ readonly agent: Agent; readonly created: boolean }>
  /** @throws SilentAuthError `FORBIDDEN` for its owner who names another: what the agent asks for is not theirs to approve */
  changeAgent(by: Principal, id: AgentId, changes: Partial<Omit<AgentDraft, 'fingerprint'>>): Promise<Agent>
  /**
   * The kill switch. Its owner may pause and revoke it too; only an owner or admin of the project lets it run again.
   *
   * @throws SilentAuthError `AGENT_REVOKED` for any other status after `revoked`, which is final
   */
  setAgentStatus(by: Principal, id: AgentId, status: Agent['status']): Promise<Agent>

  keys(by: Principal): Promise<readonly ProjectKey[]>
  /** Whoever creates it cannot vote on what it declares. The same id with the same details is the same key. */
  createKey(by: Principal, draft: KeyDraft): Promise<{ readonly key: ProjectKey; readonly created: boolean }>
  /** For good. */
  disableKey(by: Principal, id: KeyId): Promise<ProjectKey>

  directory(by: Principal): Promise<Directory>
  /** The same e-mail with the same details is the same person. */
  addPerson(by: Principal, draft: PersonDraft): Promise<{ readonly person: Person; readonly created: boolean }>
  /**
   * @throws SilentAuthError `FORBIDDEN` for an admin who changes an owner, makes one, or changes themselves; and for what would
   * leave the project without an active owner
   */
  changePerson(
    by: Principal,
    id: UserId,
    changes: Partial<Omit<Person, 'id' | 'projectId' | 'email' | 'delegation'>>,
  ): Promise<Person>
  /**
   * Somebody else votes in this person's stead for a while, in place of whoever did. By the person, or by an owner or admin, who
   * cannot name themselves.
   *
   * @throws SilentAuthError `FORBIDDEN` besides for an admin who does it for an owner
   */
  delegate(by: Principal, id: UserId, draft: DelegationDraft): Promise<Person>
  /** Votes that were cast before stay. By those who could delegate, and by who stands in. */
  endDelegation(by: Principal, id: UserId): Promise<Person>
  addGroup(by: Principal, group: string): Promise<{ readonly created: boolean }>
  /** @throws SilentAuthError `FORBIDDEN` as `changePerson` */
  setMember(by: Principal, group: string, id: UserId, member: boolean): Promise<Person>
}

export interface AgentDraft {
  readonly fingerprint: string
  readonly name: string
  readonly framework?: AgentFramework | undefined
  readonly owner: UserId | undefined
  readonly riskSensitivity: RiskTier | undefined
  readonly enforce: boolean
}
export interface KeyDraft {
  readonly id: KeyId
  readonly secretHash: string
  readonly kind: ProjectKey['kind']
  readonly name: string
  readonly agents: readonly AgentId[]
  readonly environment: string | undefined
  /** The key in whose place it comes: it keeps that one's lineage, and with it its intents and idempotency keys (I15). */
  readonly replaces: KeyId | undefined
}
export type PersonDraft = Pick<Person, 'email' | 'roles' | 'groups'>
