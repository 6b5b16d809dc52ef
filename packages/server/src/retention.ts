/**
 * Retention of a gate, embedded or in production: what is over goes from its database, also while nodes run. The log stays whole.
 *
 * @module
 */
import { stat } from 'node:fs/promises'
import { type ProjectId, prune, type Store } from '@silentauth/core'
import type { Logger } from 'pino'
import { dataFolder } from './data-folder.js'
import { databaseUrl, openStore } from './database.js'
import { knownIdentity } from './embedded.js'
import { gateLogger } from './open-gate.js'
import { chosenProject } from './production.js'

export interface PruneDataOptions {
  /** Of an embedded gate; not looked at where `database` is given. @default './.silentauth' */
  readonly dataDir?: string | undefined
  /** `sqlite:<file>` or `postgres://…`. @default `gate.db` in the data folder */
  readonly database?: string | undefined
  /** Where `database` holds several. @default the only one in it */
  readonly projectId?: ProjectId | undefined
  /** At least a day, by the clock of the database. */
  readonly olderThanSeconds: number
  /** @default warnings and errors, on standard error */
  readonly logger?: Logger | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * @returns how many intents went
 * @throws TypeError for less than a day, and for a database whose project is not known; Error when there is no gate, or its
 * database cannot be used
 */
export async function pruneData(options: PruneDataOptions): Promise<number> {
  const { olderThanSeconds, signal } = options
  const { store, projectId } = await opened(options)
  await using _closing = store
  return prune({ store, projectId, olderThanSeconds, signal })
}

async function opened({ dataDir, database, projectId, logger }: PruneDataOptions): Promise<{
  readonly store: Store
  readonly projectId: ProjectId
}> {
  const log = logger ?? gateLogger()
  if (database === undefined) {
    const folder = await dataFolder(dataDir ?? '.silentauth')
    const known = await knownIdentity(folder)
    if (!known) throw new Error(`${folder.path} holds no gate`)
    const store = await openStore({ url: `sqlite:${folder.fileIn('gate.db')}`, logger: log })
    return { store, projectId: known.projectId }
  }
  await requireThere(database)
  const store = await openStore({ url: database, logger: log })
  try {
    return { store, projectId: (await chosenProject(store, projectId)).id }
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
}

/** A file that is not there would be made, and then have nothing in it to take away. */
async function requireThere(url: string): Promise<void> {
  const database = databaseUrl(url)
  if (database.type === 'sqlite') await stat(database.file)
}
