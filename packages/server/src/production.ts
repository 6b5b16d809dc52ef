/**
 * A production gate: its project, people and keys stand in a database that outlives every node, and nothing is made up for it.
 *
 * @module
 */
import { type LocalGate, newId, type Person, type Project, type ProjectId, type Store } from '@silentauth/core'
import type { DataFolder } from './data-folder.js'
import type { Identity } from './embedded.js'
import { LOG_KEY_FILE } from './log-key.js'
import { RESULT_KEY_FILE } from './result-key.js'
import { retiredKeys } from './retired-keys.js'
import { REVOCATION_KEY_FILE } from './revocation-key.js'
import { PERMIT_KEY_FILE } from './signing-key.js'
import { siteOf } from './site.js'

export interface ProductionOptions {
  /** Of an empty database: who may do everything in it, by e-mail. @default none: an empty database is refused */
  readonly firstOwner?: string | undefined
  /** Which one to serve, where the database holds several. @default the only one */
  readonly projectId?: ProjectId | undefined
}

export interface ProductionIdentity extends Identity {
  /** Whether the database holds nothing yet. */
  readonly isNew: boolean
}

/** Files that every node has the same of. */
export const KEY_FILES = [PERMIT_KEY_FILE, REVOCATION_KEY_FILE, LOG_KEY_FILE, RESULT_KEY_FILE] as const

/**
 * Who the gate is: its issuer is its public URL, its project the one in the database.
 *
 * @param needed files of keys that this gate signs with
 * @throws TypeError saying what is missing or insecure
 */
export async function productionIdentity(
  store: Store,
  folder: DataFolder,
  { firstOwner, projectId, publicUrl }: ProductionOptions & { readonly publicUrl: string },
  needed: readonly string[],
): Promise<ProductionIdentity> {
  const { publicUrl: issuer } = siteOf(publicUrl)
  const projects = await store.projects()
  if (projects.length === 0) {
    if (firstOwner === undefined) {
      throw new TypeError('the database is empty: the first start names who owns it, as --first-owner <e-mail>')
    }
    if (!/^[^\s@]+@[^\s@]+$/.test(firstOwner)) throw new TypeError('the first owner is named by an e-mail')
    return { issuer, projectId: projectId ?? newId('prj'), isNew: true }
  }
  const project = await chosenProject(store, projectId)
  await requireNoSetupKeys(store, project.id)
  const { kids: retired } = await retiredKeys(folder)
  for (const name of needed) {
    if ((await folder.read(name)) !== undefined) continue
    // A key of its own would sign what no other node, and no verifier, accepts.
    const wasRetired = name === PERMIT_KEY_FILE && retired.length > 0
    throw new TypeError(
      wasRetired
        ? `${folder.path} has no ${name} since the last one was retired: copy the folder of the node where that was done, or run \`silentauth restore --accept\` there again`
        : `${folder.path} has no ${name}: every node needs the keys of the first one`,
    )
  }
  return { issuer, projectId: project.id, isNew: false }
}

/** @throws TypeError when the database has no such project, or several to choose from */
export async function chosenProject(store: Store, projectId: ProjectId | undefined): Promise<Project> {
  const projects = await store.projects()
  const found = projectId === undefined ? projects : projects.filter(({ id }) => id === projectId)
  const [project] = found
  if (!project) throw new TypeError(`the database has no project${projectId === undefined ? '' : ` ${projectId}`}`)
  if (found.length > 1) throw new TypeError('the database has several projects: SILENTAUTH_PROJECT says which')
  return project
}

/** Of no project: whoever makes the first one locks it, as there is no row yet that could be locked. */
const FIRST: ProjectId = 'prj_first'

/**
 * Makes the project of an empty database, with the one person in it.
 *
 * @throws TypeError when another start was faster
 */
export async function makeFirstOwner(gate: LocalGate, email: string): Promise<Person> {
  const { projectId } = gate
  const roles = ['owner', 'approver'] as const
  const owner: Person = { id: newId('usr'), projectId, email, roles, groups: [], linked: [], status: 'active' }
  await gate.administer('system:setup', 'project.created', { project_id: projectId, user_id: owner.id }, async (tx) => {
    await tx.lockRegistry(FIRST)
    if ((await tx.projects()).length > 0) {
      throw new TypeError('another node has just begun this database: start again with a copy of its folder of keys')
    }
    await tx.putProject({
      id: projectId,
      name: 'production',
      timezone: 'UTC',
      actionTiers: {},
      requireRegisteredAgents: false,
      approverLabels: 'email',
    })
    await tx.putPerson(owner)
  })
  return owner
}

/** They were made by nobody, so nobody is excluded from approving what they ask for. */
async function requireNoSetupKeys(store: Store, projectId: ProjectId): Promise<void> {
  const keys = (await store.keys(projectId)).filter(
    ({ createdBy, status }) => createdBy === 'system:setup' && status === 'active',
  )
  if (keys.length === 0) return
  const ids = keys.map(({ id }) => id).join(', ')
  throw new TypeError(`keys of an embedded gate are active in this database (${ids}): disable them, and make new ones`)
}
