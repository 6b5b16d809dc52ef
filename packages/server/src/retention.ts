/**
 * Retention of a gate's data folder: what is over goes, from the database file, also while the gate runs.
 *
 * @module
 */
import { prune } from '@silentauth/core'
import { sqliteStore } from '@silentauth/store/sqlite'
import { dataFolder } from './data-folder.js'
import { knownIdentity } from './embedded.js'

export interface PruneDataOptions {
  /** @default './.silentauth' */
  readonly dataDir?: string | undefined
  /** @default `gate.db` in the data folder */
  readonly databaseFile?: string | undefined
  /** At least a day. */
  readonly olderThanSeconds: number
  readonly signal?: AbortSignal | undefined
}

/**
 * @returns how many intents went
 * @throws TypeError for less than a day; Error when there is no gate in the folder, or its database cannot be used
 */
export async function pruneData(options: PruneDataOptions): Promise<number> {
  const folder = await dataFolder(options.dataDir ?? '.silentauth')
  const known = await knownIdentity(folder)
  if (!known) throw new Error(`${folder.path} holds no gate`)
  await using store = await sqliteStore({ file: options.databaseFile ?? folder.fileIn('gate.db') })
  const { olderThanSeconds, signal } = options
  return prune({ store, projectId: known.projectId, olderThanSeconds, signal })
}
