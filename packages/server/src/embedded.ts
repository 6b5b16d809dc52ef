/**
 * An embedded gate: the project, the key and the people that a gate in somebody's own data folder starts with. Nothing of
 * it needs an account or a file that a person writes.
 *
 * @module
 */
import {
  type Agent,
  type LocalGate,
  newId,
  type Person,
  type ProjectId,
  type ProjectKey,
  type Role,
  type Store,
  type UserId,
} from '@silentauth/core'
import { z } from 'zod'
import type { DataFolder } from './data-folder.js'
import { newProjectKey, secretHash } from './secret.js'

/** Who a gate is, for as long as its data folder lives. */
export interface Identity {
  /** `urn:silentauth:embedded:<id>`: a production verifier pins its own issuer, and so refuses these permits. */
  readonly issuer: string
  readonly projectId: ProjectId
}

export interface Embedded {
  /** Of the agent key, `sk_…`. As the only key of its project it is the verifier's key too. */
  readonly secretKey: string
  /** Who may approve from the start. */
  readonly owner: Person
}

const IDENTITY_FILE = 'gate.json'
/** What the SDK finds by itself. */
const CONNECTION_FILE = 'dev.json'

const OWNER_EMAIL = 'you@localhost'

const identityForm = z.object({
  issuer: z.string().startsWith('urn:silentauth:embedded:'),
  project_id: z.string().startsWith('prj_'),
})
const connectionForm = z.object({ secret_key: z.string() })

export async function identity(folder: DataFolder): Promise<Identity> {
  const known = await knownIdentity(folder)
  if (known) return known
  const made: Identity = { issuer: `urn:silentauth:embedded:${newId('gate').slice(5)}`, projectId: newId('prj') }
  await folder.write(IDENTITY_FILE, { issuer: made.issuer, project_id: made.projectId })
  return made
}

/** Undefined: no gate has been here. */
export async function knownIdentity(folder: DataFolder): Promise<Identity | undefined> {
  const stored = await folder.read(IDENTITY_FILE)
  if (stored === undefined) return undefined
  const { issuer, project_id: projectId } = identityForm.parse(stored)
  return { issuer, projectId: projectId as ProjectId }
}

/** Makes what is missing, in one audited change, and finds what is there. */
export async function embedded(
  { gate, store }: { readonly gate: LocalGate; readonly store: Store },
  folder: DataFolder,
): Promise<Embedded> {
  const { projectId } = gate
  const secretKey = (await knownKey(store, projectId, folder)) ?? newProjectKey()
  const keyIsNew = (await store.keyBySecretHash(secretHash(secretKey))) === undefined
  const isNew = (await store.project(projectId)) === undefined
  const people = isNew ? [] : (await store.directory(projectId)).people
  const owner =
    people.find(({ email }) => email === OWNER_EMAIL) ?? aPerson(projectId, OWNER_EMAIL, ['owner', 'approver'])
  if (!isNew && !keyIsNew && people.includes(owner)) return { secretKey, owner }

  const key = await anAgentKey(store, projectId, secretKey)
  const data = { project_id: projectId, ...(keyIsNew && { key_id: key.id }), user_id: owner.id }
  await gate.administer('system:setup', isNew ? 'project.created' : 'project.completed', data, async (tx) => {
    if (isNew) {
      await tx.putProject({
        id: projectId,
        name: 'embedded',
        timezone: 'UTC',
        actionTiers: {},
        requireRegisteredAgents: false,
        approverLabels: 'email',
      })
    }
    if (keyIsNew) await tx.putKey(key)
    await tx.putPerson(owner)
  })
  return { secretKey, owner }
}

/** How a client on this machine finds the gate: `dev.json`, 0600. */
export async function writeConnection(
  folder: DataFolder,
  connection: Identity & {
    readonly url: string
    readonly jwksUrl: string
    readonly revocationsUrl: string
    readonly secretKey: string
  },
): Promise<void> {
  await folder.write(CONNECTION_FILE, {
    url: connection.url,
    issuer: connection.issuer,
    project_id: connection.projectId,
    jwks_url: connection.jwksUrl,
    revocations_url: connection.revocationsUrl,
    secret_key: connection.secretKey,
  })
}

/** Somebody else who may sign in; the same e-mail is the same person. */
export async function addPerson(
  { gate }: { readonly gate: LocalGate },
  { email, roles = ['approver'], groups = [] }: { email: string; roles?: readonly Role[]; groups?: readonly string[] },
): Promise<Person> {
  const { projectId } = gate
  const data = ({ id }: Person) => ({ user_id: id })
  return gate.administer('system:setup', 'person.changed', data, async (tx) => {
    await tx.lockRegistry(projectId)
    const { people } = await tx.directory(projectId)
    const found = people.find((person) => person.email.toLowerCase() === email.toLowerCase())
    const person = { ...(found ?? aPerson(projectId, email, roles)), roles, groups }
    await tx.putPerson(person)
    for (const group of groups) await tx.putGroup(projectId, group)
    return person
  })
}

/** Registers an agent, or names another owner of one: the owner cannot vote on what the agent asks for. */
export async function addAgent(
  { gate }: { readonly gate: LocalGate },
  { fingerprint, name = fingerprint, owner }: { fingerprint: string; name?: string; owner?: UserId | undefined },
): Promise<Agent> {
  const { projectId } = gate
  const data = ({ id }: Agent) => ({ agent_id: id, owner: owner ?? null })
  return gate.administer('system:setup', 'agent.changed', data, async (tx) => {
    // Read under the lock: an agent that is being stopped stays stopped.
    await tx.lockRegistry(projectId)
    const found = await tx.agentByFingerprint(projectId, fingerprint)
    const agent: Agent = {
      id: newId('agt'),
      status: 'active',
      riskSensitivity: undefined,
      enforce: false,
      lastSeenAt: undefined,
      ...found,
      projectId,
      name,
      fingerprint,
      owner,
    }
    await tx.putAgent(agent)
    return agent
  })
}

/** The key of an earlier start, as long as the store still knows it. */
async function knownKey(store: Store, projectId: ProjectId, folder: DataFolder): Promise<string | undefined> {
  const stored = connectionForm.safeParse(await folder.read(CONNECTION_FILE))
  if (!stored.success) return undefined
  const key = await store.keyBySecretHash(secretHash(stored.data.secret_key))
  return key?.projectId === projectId && key.status === 'active' ? stored.data.secret_key : undefined
}

/** Owned by nobody, so that whoever signs in may approve what it asks for. */
async function anAgentKey(store: Store, projectId: ProjectId, secret: string): Promise<ProjectKey> {
  const id = newId('key')
  return {
    id,
    lineage: id,
    projectId,
    kind: 'agent',
    name: 'agent key of this machine',
    agents: [],
    environment: 'development',
    createdBy: 'system:setup',
    status: 'active',
    secretHash: secretHash(secret),
    createdAt: await store.now(),
  }
}

function aPerson(projectId: ProjectId, email: string, roles: readonly Role[]): Person {
  return { id: newId('usr'), projectId, email, roles, groups: [], linked: [], status: 'active' }
}
