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
  type StoreReader,
  type StoreTransaction,
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
  return identityOf(
    await folder.readOrMake(IDENTITY_FILE, () => ({
      issuer: `urn:silentauth:embedded:${newId('gate').slice(5)}`,
      project_id: newId('prj'),
    })),
  )
}

/** Undefined: no gate has been here. */
export async function knownIdentity(folder: DataFolder): Promise<Identity | undefined> {
  const stored = await folder.read(IDENTITY_FILE)
  return stored === undefined ? undefined : identityOf(stored)
}

/** Makes what is missing, in one audited change, and finds what is there; a client on this machine finds the gate by `dev.json`. */
export async function embedded(
  { gate, store }: { readonly gate: LocalGate; readonly store: Store },
  folder: DataFolder,
  connection: Connection,
): Promise<Embedded> {
  const { projectId } = gate
  let found = await inPlace(store, projectId, folder)
  while (!isWhole(found)) {
    const data = (made: Made) => ({
      project_id: projectId,
      ...(made.key && { key_id: made.key.id }),
      user_id: made.owner.id,
    })
    const event = found.project ? 'project.completed' : 'project.created'
    try {
      await gate.administer('system:setup', event, data, (tx) => complete(tx, projectId, folder, connection))
    } catch (error) {
      if (error !== FASTER) throw error
    }
    found = await inPlace(store, projectId, folder)
  }
  await writeConnection(folder, connection, found.secretKey)
  return { secretKey: found.secretKey, owner: found.owner }
}

/** How a client finds the gate, but for the key. */
export interface Connection extends Identity {
  readonly url: string
  readonly jwksUrl: string
  readonly revocationsUrl: string
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

/** What an embedded gate needs, as far as it is there. */
interface InPlace {
  readonly project: boolean
  readonly secretKey: string | undefined
  readonly owner: Person | undefined
}

interface Made {
  readonly owner: Person
  /** Undefined where there was one. */
  readonly key: ProjectKey | undefined
}

/** Another start of the same gate has made what was missing: nothing is left to write. */
const FASTER = new Error('another start was faster')

function isWhole(found: InPlace): found is { project: true; secretKey: string; owner: Person } {
  return found.project && found.secretKey !== undefined && found.owner !== undefined
}

async function inPlace(reader: StoreReader, projectId: ProjectId, folder: DataFolder): Promise<InPlace> {
  const project = (await reader.project(projectId)) !== undefined
  const people = project ? (await reader.directory(projectId)).people : []
  const owner = people.find(({ email }) => email === OWNER_EMAIL)
  return { project, secretKey: await knownKey(reader, projectId, folder), owner }
}

/** Looked at once more under the lock: two first starts must not each make an owner and a key. @throws `FASTER` */
async function complete(
  tx: StoreTransaction,
  projectId: ProjectId,
  folder: DataFolder,
  connection: Connection,
): Promise<Made> {
  await tx.lockRegistry(projectId)
  const found = await inPlace(tx, projectId, folder)
  if (isWhole(found)) throw FASTER
  if (!found.project) {
    await tx.putProject({
      id: projectId,
      name: 'embedded',
      timezone: 'UTC',
      actionTiers: {},
      requireRegisteredAgents: false,
      approverLabels: 'email',
    })
  }
  const owner = found.owner ?? aPerson(projectId, OWNER_EMAIL, ['owner', 'approver'])
  if (!found.owner) await tx.putPerson(owner)
  if (found.secretKey !== undefined) return { owner, key: undefined }
  const secretKey = newProjectKey()
  const key = await anAgentKey(tx, projectId, secretKey)
  await tx.putKey(key)
  // Before the commit: whoever waits for the lock must find it. One that is not committed is known to no store.
  await writeConnection(folder, connection, secretKey)
  return { owner, key }
}

/** 0600. */
async function writeConnection(
  folder: DataFolder,
  { url, issuer, projectId, jwksUrl, revocationsUrl }: Connection,
  secretKey: string,
): Promise<void> {
  await folder.write(CONNECTION_FILE, {
    url,
    issuer,
    project_id: projectId,
    jwks_url: jwksUrl,
    revocations_url: revocationsUrl,
    secret_key: secretKey,
  })
}

function identityOf(stored: unknown): Identity {
  const { issuer, project_id: projectId } = identityForm.parse(stored)
  return { issuer, projectId: projectId as ProjectId }
}

/** The key of an earlier start, as long as the store still knows it. */
async function knownKey(store: StoreReader, projectId: ProjectId, folder: DataFolder): Promise<string | undefined> {
  const stored = connectionForm.safeParse(await folder.read(CONNECTION_FILE))
  if (!stored.success) return undefined
  const key = await store.keyBySecretHash(secretHash(stored.data.secret_key))
  return key?.projectId === projectId && key.status === 'active' ? stored.data.secret_key : undefined
}

/** Owned by nobody, so that whoever signs in may approve what it asks for. */
async function anAgentKey(store: StoreReader, projectId: ProjectId, secret: string): Promise<ProjectKey> {
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
