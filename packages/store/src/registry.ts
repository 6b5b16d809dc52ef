/**
 * The registry of a SQL store: documents, each under the keys by which it is found.
 *
 * @module
 */
import type {
  Agent,
  Directory,
  EpochMs,
  Person,
  Policy,
  Project,
  ProjectId,
  ProjectKey,
  StoreReader,
  StoreTransaction,
} from '@silentauth/core'
import { sql } from 'kysely'
import { type Connection, first, type Query } from './connection.js'
import type { Builder, Engine } from './engine.js'
import { revised } from './revised.js'
import { statement } from './statement.js'
import type { Tables } from './tables.js'

export type RegistryReader = Pick<
  StoreReader,
  | 'project'
  | 'projects'
  | 'key'
  | 'keyBySecretHash'
  | 'keys'
  | 'agent'
  | 'agentByFingerprint'
  | 'agents'
  | 'person'
  | 'directory'
  | 'policies'
>
export type RegistryWriter = Pick<
  StoreTransaction,
  | 'putProject'
  | 'putKey'
  | 'putAgent'
  | 'seeAgent'
  | 'lockRegistry'
  | 'lockKey'
  | 'putPerson'
  | 'putGroup'
  | 'putPolicies'
>

export interface SqlRegistry {
  reader(connection: Connection): RegistryReader
  /** Both halves of one transaction: it must not leave in memory what it has only written itself. */
  transaction(connection: Connection): RegistryReader & RegistryWriter
  /** When a commit failed: a later one gives the same revision to other documents. */
  forget(): void
}

export function sqlRegistry(db: Builder, { rowLocks }: Pick<Engine, 'rowLocks'>): SqlRegistry {
  const ask = registryStatements(db)
  const directories = revised<Directory>()
  const policySets = revised<readonly Policy[]>()

  /** @param changed projects whose directory or policies this transaction has written */
  function readerOf(connection: Connection, changed: ReadonlySet<string>): RegistryReader {
    const one = async <Document>(query: Query): Promise<Document | undefined> => {
      const row = await first<{ body: string }>(connection, query)
      return row && (JSON.parse(row.body) as Document)
    }
    const all = async <Document>(query: Query): Promise<readonly Document[]> =>
      (await connection.all<{ body: string }>(query)).map(({ body }) => JSON.parse(body) as Document)
    const revisionOf = async (query: Query): Promise<number> =>
      (await first<{ revision: number }>(connection, query))?.revision ?? 0

    const readDirectory = async (projectId: ProjectId): Promise<Directory> => ({
      people: await all<Person>(ask.people({ projectId })),
      groups: (await connection.all<{ name: string }>(ask.groups({ projectId }))).map(({ name }) => name),
    })
    const readPolicies = async (projectId: ProjectId): Promise<readonly Policy[]> =>
      (await one<Policy[]>(ask.policies({ projectId }))) ?? []

    return {
      project: (id) => one<Project>(ask.project({ id })),
      projects: () => all<Project>(ask.projects({})),
      key: (id) => one<ProjectKey>(ask.key({ id })),
      keyBySecretHash: (secretHash) => one<ProjectKey>(ask.keyBySecretHash({ secretHash })),
      keys: (projectId) => all<ProjectKey>(ask.keys({ projectId })),
      agent: async (id) => agentOf(await first<AgentRow>(connection, ask.agent({ id }))),
      agentByFingerprint: async (projectId, fingerprint) =>
        agentOf(await first<AgentRow>(connection, ask.agentByFingerprint({ projectId, fingerprint }))),
      agents: async (projectId) =>
        (await connection.all<AgentRow>(ask.agents({ projectId }))).map((row) => agentOf(row)),
      person: (id) => one<Person>(ask.person({ id })),
      async directory(projectId) {
        if (changed.has(directoryOf(projectId))) return readDirectory(projectId)
        const revision = await revisionOf(ask.directoryRevision({ projectId }))
        return directories.at(projectId, revision, () => readDirectory(projectId))
      },
      async policies(projectId) {
        const revision = await revisionOf(ask.policiesRevision({ projectId }))
        const read = () => readPolicies(projectId)
        return {
          revision,
          policies: changed.has(policiesOf(projectId)) ? await read() : await policySets.at(projectId, revision, read),
        }
      },
    }
  }

  function transaction(connection: Connection): RegistryReader & RegistryWriter {
    const changed = new Set<string>()
    const reader = readerOf(connection, changed)
    const changeDirectory = async (projectId: ProjectId): Promise<void> => {
      changed.add(directoryOf(projectId))
      await connection.run(ask.moveDirectory({ projectId }))
    }
    return {
      ...reader,
      putProject: (project) => connection.run(ask.putProject({ id: project.id, body: JSON.stringify(project) })),
      putKey: (key) => connection.run(ask.putKey({ ...key, body: JSON.stringify(key) })),
      putAgent: ({ lastSeenAt, ...agent }) =>
        connection.run(ask.putAgent({ ...agent, body: JSON.stringify(agent), lastSeenAt: lastSeenAt ?? null })),
      seeAgent: (id, at) => connection.run(ask.seeAgent({ id, at })),
      // The row whose revision moves: on PostgreSQL the others wait for it.
      lockRegistry: changeDirectory,
      async lockKey(id) {
        // Else the transaction itself is the lock: nobody else writes.
        if (rowLocks) await connection.all(ask.lockKey({ id }))
      },
      async putPerson(person) {
        const earlier = await reader.person(person.id)
        if (earlier && earlier.projectId !== person.projectId) await changeDirectory(earlier.projectId)
        await changeDirectory(person.projectId)
        await connection.run(ask.putPerson({ ...person, body: JSON.stringify(person) }))
      },
      async putGroup(projectId, name) {
        await changeDirectory(projectId)
        await connection.run(ask.putGroup({ projectId, name }))
      },
      async putPolicies(projectId, policies) {
        changed.add(policiesOf(projectId))
        await connection.run(ask.putPolicies({ projectId, body: JSON.stringify(policies) }))
      },
    }
  }

  return {
    reader: (connection) => readerOf(connection, NOTHING),
    transaction,
    forget() {
      directories.forget()
      policySets.forget()
    },
  }
}

const NOTHING: ReadonlySet<string> = new Set()

function directoryOf(projectId: ProjectId): string {
  return `directory ${projectId}`
}

function policiesOf(projectId: ProjectId): string {
  return `policies ${projectId}`
}

function registryStatements(db: Builder) {
  return { ...keyStatements(db), ...peopleStatements(db) }
}

type OfProject = { projectId: ProjectId }

function keyStatements(db: Builder) {
  return {
    project: statement(({ id }: { id: string }) => db.selectFrom('projects').select('body').where('id', '=', id)),
    projects: statement(() => db.selectFrom('projects').select('body').orderBy('id')),
    lockKey: statement(({ id }: { id: string }) =>
      db.selectFrom('project_keys').select('id').where('id', '=', id).forNoKeyUpdate(),
    ),
    putProject: statement(({ id, body }: { id: string; body: string }) =>
      db
        .insertInto('projects')
        .values({ id, body })
        .onConflict((on) => on.column('id').doUpdateSet({ body })),
    ),
    key: statement(({ id }: { id: string }) => db.selectFrom('project_keys').select('body').where('id', '=', id)),
    keyBySecretHash: statement(({ secretHash }: { secretHash: string }) =>
      db.selectFrom('project_keys').select('body').where('secret_hash', '=', secretHash),
    ),
    keys: statement(({ projectId }: OfProject) =>
      db.selectFrom('project_keys').select('body').where('project_id', '=', projectId).orderBy('id'),
    ),
    putKey: statement(
      ({ id, projectId, secretHash, body }: OfProject & { id: string; secretHash: string; body: string }) =>
        db
          .insertInto('project_keys')
          .values({ id, project_id: projectId, secret_hash: secretHash, body })
          .onConflict((on) => on.column('id').doUpdateSet({ project_id: projectId, secret_hash: secretHash, body })),
    ),
    agent: statement(({ id }: { id: string }) => db.selectFrom('agents').select(AGENT_ROW).where('id', '=', id)),
    agentByFingerprint: statement(({ projectId, fingerprint }: OfProject & { fingerprint: string }) =>
      db
        .selectFrom('agents')
        .select(AGENT_ROW)
        .where('project_id', '=', projectId)
        .where('fingerprint', '=', fingerprint),
    ),
    agents: statement(({ projectId }: OfProject) =>
      db.selectFrom('agents').select(AGENT_ROW).where('project_id', '=', projectId).orderBy('id'),
    ),
    putAgent: statement(({ id, projectId, fingerprint, body, lastSeenAt }: OfProject & AgentValues) =>
      db
        .insertInto('agents')
        .values({ id, project_id: projectId, fingerprint, body, last_seen_at: lastSeenAt })
        .onConflict((on) => on.column('id').doUpdateSet({ project_id: projectId, fingerprint, body })),
    ),
    seeAgent: statement(({ id, at }: { id: string; at: EpochMs }) =>
      db.updateTable('agents').set({ last_seen_at: at }).where('id', '=', id),
    ),
  }
}

function peopleStatements(db: Builder) {
  return {
    person: statement(({ id }: { id: string }) => db.selectFrom('people').select('body').where('id', '=', id)),
    people: statement(({ projectId }: OfProject) =>
      db.selectFrom('people').select('body').where('project_id', '=', projectId).orderBy('id'),
    ),
    putPerson: statement(({ id, projectId, body }: OfProject & { id: string; body: string }) =>
      db
        .insertInto('people')
        .values({ id, project_id: projectId, body })
        .onConflict((on) => on.column('id').doUpdateSet({ project_id: projectId, body })),
    ),
    groups: statement(({ projectId }: OfProject) =>
      db.selectFrom('groups').select('name').where('project_id', '=', projectId).orderBy('name'),
    ),
    putGroup: statement(({ projectId, name }: OfProject & { name: string }) =>
      db
        .insertInto('groups')
        .values({ project_id: projectId, name })
        .onConflict((on) => on.columns(['project_id', 'name']).doNothing()),
    ),
    directoryRevision: statement(({ projectId }: OfProject) =>
      db.selectFrom('directories').select('revision').where('project_id', '=', projectId),
    ),
    moveDirectory: statement(({ projectId }: OfProject) =>
      db
        .insertInto('directories')
        .values({ project_id: projectId, revision: sql.lit(1) })
        .onConflict((on) => on.column('project_id').doUpdateSet({ revision: NEXT('directories') })),
    ),
    policiesRevision: statement(({ projectId }: OfProject) =>
      db.selectFrom('policies').select('revision').where('project_id', '=', projectId),
    ),
    policies: statement(({ projectId }: OfProject) =>
      db.selectFrom('policies').select('body').where('project_id', '=', projectId),
    ),
    putPolicies: statement(({ projectId, body }: OfProject & { body: string }) =>
      db
        .insertInto('policies')
        .values({ project_id: projectId, revision: sql.lit(1), body })
        .onConflict((on) => on.column('project_id').doUpdateSet({ revision: NEXT('policies'), body })),
    ),
  }
}

const AGENT_ROW = ['body', 'last_seen_at'] as const
type AgentRow = Pick<Tables['agents'], (typeof AGENT_ROW)[number]>

function agentOf(row: AgentRow): Agent
function agentOf(row: AgentRow | undefined): Agent | undefined
function agentOf(row: AgentRow | undefined): Agent | undefined {
  return row && { ...(JSON.parse(row.body) as Agent), lastSeenAt: row.last_seen_at ?? undefined }
}

interface AgentValues {
  readonly id: string
  readonly fingerprint: string
  readonly body: string
  readonly lastSeenAt: EpochMs | null
}

/** The revision that follows the stored one. */
function NEXT(table: 'directories' | 'policies') {
  return sql<number>`${sql.ref(`${table}.revision`)} + 1`
}
