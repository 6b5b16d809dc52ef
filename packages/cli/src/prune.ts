/**
 * `silentauth prune`: takes away the intents that have been over for a while. The log of them stays whole.
 *
 * @module
 */
import type { ProjectId } from '@silentauth/core'
import { configurationOf, pruneData } from '@silentauth/server'

export interface PruneCommandOptions {
  readonly data: string
  /** A file, or a URL as in SILENTAUTH_DATABASE. */
  readonly database?: string
  readonly project?: string
  /** Seconds. */
  readonly olderThan: number
}

/** How many went is the one line on stdout. */
export async function prune({ data, database, project, olderThan }: PruneCommandOptions): Promise<number> {
  const count = await pruneData({
    dataDir: data,
    database: database === undefined ? configurationOf(process.env).database : urlOf(database),
    projectId: (project ?? process.env.SILENTAUTH_PROJECT) as ProjectId | undefined,
    olderThanSeconds: olderThan,
  })
  console.error(count === 0 ? 'Nothing was over for that long.' : 'The log of what went is whole; its keys stay taken.')
  console.log(String(count))
  return 0
}

function urlOf(database: string): string {
  return /^[a-z]{2,}:/.test(database) ? database : `sqlite:${database}`
}
