/**
 * The registry of a memory store: projects, keys, agents, people, groups, policies, sessions, earlier requests.
 *
 * @module
 */
import { compareText } from './compare-text.js'
import { conflict } from './conflict.js'
import type { AgentId, KeyId, ProjectId, SessionId, UserId } from './id.js'
import type { EpochMs } from './json.js'
import { type Draft, type Rows, type Table, table } from './memory-table.js'
import type { Policy } from './policy.js'
import type { Agent, Directory, Person, Project, ProjectKey, Session, SignInToken, StoredPolicies } from './registry.js'
import type { RequestRecord } from './store.js'
import { type Timeline, timeline } from './timeline.js'

export interface MemoryRegistry {
  readonly committed: RegistryReader
  draft(): RegistryDraft
}

export interface RegistryReader {
  project(id: ProjectId): Project | undefined
  projects(): readonly Project[]
  key(id: KeyId): ProjectKey | undefined
  keyBySecretHash(secretHash: string): ProjectKey | undefined
  keys(projectId: ProjectId): readonly ProjectKey[]
  agent(id: AgentId): Agent | undefined
  agentByFingerprint(projectId: ProjectId, fingerprint: string): Agent | undefined
  agents(projectId: ProjectId): readonly Agent[]
  person(id: UserId): Person | undefined
  directory(projectId: ProjectId): Directory
  policies(projectId: ProjectId): StoredPolicies
  sessionByCookieHash(cookieHash: string): Session | undefined
  request(principal: string, key: string, now: EpochMs): RequestRecord | undefined
}

export interface RegistryDraft extends RegistryReader {
  putProject(project: Project): void
  putKey(key: ProjectKey): void
  putAgent(agent: Agent): void
  seeAgent(id: AgentId, at: EpochMs): void
  putPerson(person: Person): void
  putGroup(projectId: ProjectId, group: string): void
  putPolicies(projectId: ProjectId, policies: readonly Policy[]): void
  putSession(session: Session, now: EpochMs): void
  deleteSession(id: SessionId): void
  deleteSessions(projectId: ProjectId): void
  putSignInToken(token: SignInToken, now: EpochMs): void
  takeSignInToken(tokenHash: string): SignInToken | undefined
  putRequest(record: RequestRecord, now: EpochMs): void
  commit(): void
}

export function memoryRegistry(): MemoryRegistry {
  const projects = table<Project>({ key: ({ id }) => id })
  const keys = table<ProjectKey>({ key: ({ id }) => id, unique: { key_secret: ({ secretHash }) => [secretHash] } })
  const agents = table<Agent>({
    key: ({ id }) => id,
    unique: { agent_fingerprint: ({ projectId, fingerprint }) => [tuple(projectId, fingerprint)] },
  })
  const people = table<Person>({ key: ({ id }) => id })
  const groups = table<Group>({ key: ({ projectId, group }) => tuple(projectId, group) })
  const policies = table<PolicyRow>({ key: ({ projectId }) => projectId })
  const sessions = expiring<Session>(({ id }) => id, { session_cookie: ({ cookieHash }) => [cookieHash] })
  const tokens = expiring<SignInToken>(({ tokenHash }) => tokenHash)
  const requests = expiring<RequestRecord>(({ principal, key }) => tuple(principal, key))

  return {
    committed: readerOf({
      projects,
      keys,
      agents,
      people,
      groups,
      policies,
      sessions: sessions.table,
      requests: requests.table,
    }),
    draft() {
      const drafts = {
        projects: projects.draft(),
        keys: keys.draft(),
        agents: agents.draft(),
        people: people.draft(),
        groups: groups.draft(),
        policies: policies.draft(),
        sessions: sessions.table.draft(),
        tokens: tokens.table.draft(),
        requests: requests.table.draft(),
      }
      const reader = readerOf(drafts)
      return {
        ...reader,
        putProject: drafts.projects.put,
        putKey: drafts.keys.put,
        putAgent(agent) {
          const { lastSeenAt } = drafts.agents.get(agent.id) ?? agent
          drafts.agents.put({ ...agent, lastSeenAt })
        },
        seeAgent(id, at) {
          const agent = drafts.agents.get(id)
          if (agent) drafts.agents.put({ ...agent, lastSeenAt: at })
        },
        putPerson: drafts.people.put,
        putGroup: (projectId, group) => drafts.groups.put({ projectId, group }),
        putPolicies(projectId, all) {
          const { revision } = reader.policies(projectId)
          drafts.policies.put({ projectId, revision: revision + 1, policies: all })
        },
        putSession(session, now) {
          sessions.forget(drafts.sessions, now)
          drafts.sessions.put(session)
        },
        deleteSession: drafts.sessions.delete,
        deleteSessions(projectId) {
          for (const session of [...drafts.sessions.values()]) {
            if (session.projectId === projectId) drafts.sessions.delete(session.id)
          }
          for (const token of [...drafts.tokens.values()]) {
            if (token.projectId === projectId) drafts.tokens.delete(token.tokenHash)
          }
        },
        putSignInToken(token, now) {
          tokens.forget(drafts.tokens, now)
          drafts.tokens.put(token)
        },
        takeSignInToken(tokenHash) {
          const token = drafts.tokens.get(tokenHash)
          if (token) drafts.tokens.delete(tokenHash)
          return token
        },
        putRequest(record, now) {
          requests.forget(drafts.requests, now)
          if (drafts.requests.get(tuple(record.principal, record.key))) throw conflict('request')
          drafts.requests.put(record)
        },
        commit() {
          for (const draft of Object.values(drafts)) draft.commit()
        },
      }
    },
  }
}

interface Group {
  readonly projectId: ProjectId
  readonly group: string
}
interface PolicyRow extends StoredPolicies {
  readonly projectId: ProjectId
}
interface RegistryTables {
  readonly projects: Rows<Project>
  readonly keys: Rows<ProjectKey>
  readonly agents: Rows<Agent>
  readonly people: Rows<Person>
  readonly groups: Rows<Group>
  readonly policies: Rows<PolicyRow>
  readonly sessions: Rows<Session>
  readonly requests: Rows<RequestRecord>
}

function readerOf(rows: RegistryTables): RegistryReader {
  return {
    project: rows.projects.get,
    projects: () => byId(rows.projects.values()),
    key: rows.keys.get,
    keyBySecretHash: (secretHash) => rows.keys.find('key_secret', secretHash),
    keys: (projectId) => byId(of(projectId, rows.keys)),
    agent: rows.agents.get,
    agentByFingerprint: (projectId, fingerprint) =>
      rows.agents.find('agent_fingerprint', tuple(projectId, fingerprint)),
    agents: (projectId) => byId(of(projectId, rows.agents)),
    person: rows.people.get,
    directory: (projectId) => ({
      people: byId(of(projectId, rows.people)),
      groups: of(projectId, rows.groups)
        .map(({ group }) => group)
        .sort(compareText),
    }),
    policies(projectId) {
      const { revision, policies } = rows.policies.get(projectId) ?? NO_POLICIES
      return { revision, policies }
    },
    sessionByCookieHash: (cookieHash) => rows.sessions.find('session_cookie', cookieHash),
    request(principal, key, now) {
      const found = rows.requests.get(tuple(principal, key))
      return found && found.expiresAt > now ? found : undefined
    },
  }
}

const NO_POLICIES: StoredPolicies = { revision: 0, policies: [] }

/** A table whose rows are of no use once they have expired. */
function expiring<Row extends { readonly expiresAt: EpochMs }>(
  key: (row: Row) => string,
  unique: NonNullable<Parameters<typeof table<Row>>[0]['unique']> = {},
): { table: Table<Row>; forget(draft: Draft<Row>, now: EpochMs): void } {
  const byExpiry: Timeline<string> = timeline()
  return {
    table: table<Row>({
      key,
      unique,
      changed(before, after) {
        if (before) byExpiry.remove(before.expiresAt, key(before))
        if (after) byExpiry.insert(after.expiresAt, key(after))
      },
    }),
    forget(draft, now) {
      for (const expired of byExpiry.upTo(now)) draft.delete(expired)
    },
  }
}

function of<Row extends { readonly projectId: ProjectId }>(projectId: ProjectId, rows: Rows<Row>): Row[] {
  return [...rows.values()].filter((row) => row.projectId === projectId)
}

function byId<Row extends { readonly id: string }>(rows: Iterable<Row>): readonly Row[] {
  return [...rows].sort((one, other) => compareText(one.id, other.id))
}

function tuple(...parts: readonly string[]): string {
  return JSON.stringify(parts)
}
