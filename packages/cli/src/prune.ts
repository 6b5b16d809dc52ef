/**
 * `silentauth prune`: takes away the intents that have been over for a while. The log of them stays whole.
 *
 * @module
 */
import { pruneData } from '@silentauth/server'

export interface PruneCommandOptions {
  readonly data: string
  readonly database?: string
  /** Seconds. */
  readonly olderThan: number
}

/** How many went is the one line on stdout. */
export async function prune({ data, database, olderThan }: PruneCommandOptions): Promise<number> {
  const count = await pruneData({ dataDir: data, databaseFile: database, olderThanSeconds: olderThan })
  console.error(count === 0 ? 'Nothing was over for that long.' : 'The log of what went is whole; its keys stay taken.')
  console.log(String(count))
  return 0
}
