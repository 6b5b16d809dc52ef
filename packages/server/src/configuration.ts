/**
 * The configuration of a server, from the environment. What is insecure is refused at the start, with the reason, instead of
 * being found out later.
 *
 * @module
 */
import type { Anchor, ProjectId } from '@silentauth/core'
import { fileAnchor, webhookAnchor } from './anchors.js'
import { databaseUrl } from './database.js'
import type { ServeOptions } from './serve.js'
import type { ServerOptions } from './start-server.js'

/**
 * Of `SILENTAUTH_DATA`, `SILENTAUTH_KEYS`, `SILENTAUTH_STATE`, `SILENTAUTH_DATABASE` (`sqlite:<file>`, `postgres://…`),
 * `SILENTAUTH_REPLICATED` (`1`), `SILENTAUTH_PUBLIC_URL`, `SILENTAUTH_PORT`, `SILENTAUTH_HOST`, `SILENTAUTH_ANCHORS` (`file:<path>` and
 * URLs, with commas between), `EXECUTION_SECRET`.
 *
 * @throws TypeError naming the variable, never with its value
 */
export function configurationOf(env: Readonly<Record<string, string | undefined>>): ServerOptions {
  return {
    dataDir: env.SILENTAUTH_DATA,
    keysDir: env.SILENTAUTH_KEYS,
    stateDir: env.SILENTAUTH_STATE,
    anchors: anchorsOf(env.SILENTAUTH_ANCHORS),
    database: databaseOf(env.SILENTAUTH_DATABASE),
    replicated: env.SILENTAUTH_REPLICATED === '1',
    publicUrl: env.SILENTAUTH_PUBLIC_URL,
    port: portOf(env.SILENTAUTH_PORT),
    host: env.SILENTAUTH_HOST,
    executionSecret: env.EXECUTION_SECRET,
  }
}

/**
 * The same for a production gate, for which nothing is made up; also `SILENTAUTH_PROJECT`.
 *
 * @throws TypeError naming what is missing
 */
export function productionConfigurationOf(env: Readonly<Record<string, string | undefined>>): ServeOptions {
  const { database, publicUrl, ...rest } = configurationOf(env)
  const dataDir = rest.dataDir ?? rest.keysDir
  const missing = [
    ...(database === undefined ? ['SILENTAUTH_DATABASE (postgres://…)'] : []),
    ...(publicUrl === undefined ? ['SILENTAUTH_PUBLIC_URL (https://…)'] : []),
    ...(dataDir === undefined ? ['SILENTAUTH_DATA (the folder with the keys)'] : []),
  ]
  if (database === undefined || publicUrl === undefined || dataDir === undefined) {
    throw new TypeError(`a gate in production needs ${missing.join(', ')}`)
  }
  return { ...rest, database, publicUrl, dataDir, projectId: env.SILENTAUTH_PROJECT as ProjectId | undefined }
}

function databaseOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined
  try {
    databaseUrl(url)
  } catch {
    throw new TypeError('SILENTAUTH_DATABASE must be sqlite:<file> or postgres://<user>@<host>:<port>/<name>')
  }
  return url
}

function anchorsOf(text: string | undefined): readonly Anchor[] | undefined {
  if (text === undefined || text.trim() === '') return undefined
  return text.split(',').map((each) => {
    const where = each.trim()
    try {
      return where.startsWith('file:') ? fileAnchor(fileOf(where)) : webhookAnchor(where)
    } catch {
      throw new TypeError('SILENTAUTH_ANCHORS is a list of file:<path> and https URLs, with commas between')
    }
  })
}

function fileOf(where: string): string {
  const file = where.slice('file:'.length)
  if (file === '' || file.startsWith('//')) throw new TypeError('no path')
  return file
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(port <= 65_535)) throw new TypeError('SILENTAUTH_PORT must be 0 to 65535')
  return port
}
