/**
 * The configuration of a server, from the environment. What is insecure is refused at the start, with the reason, instead of
 * being found out later.
 *
 * @module
 */
import type { ServerOptions } from './start-server.js'

/**
 * Of `SILENTAUTH_DATA`, `SILENTAUTH_DATABASE` (`sqlite:<file>`), `SILENTAUTH_PUBLIC_URL`, `SILENTAUTH_PORT`, `EXECUTION_SECRET`.
 *
 * @throws TypeError naming the variable, never with its value
 */
export function configurationOf(env: Readonly<Record<string, string | undefined>>): ServerOptions {
  return {
    dataDir: env.SILENTAUTH_DATA,
    databaseFile: databaseFileOf(env.SILENTAUTH_DATABASE),
    publicUrl: env.SILENTAUTH_PUBLIC_URL,
    port: portOf(env.SILENTAUTH_PORT),
    executionSecret: env.EXECUTION_SECRET,
  }
}

function databaseFileOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined
  const file = /^sqlite:(?!\/\/)(.+)$/.exec(url)?.[1]
  if (file === undefined) throw new TypeError('SILENTAUTH_DATABASE must be sqlite:<file>')
  return file
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(port <= 65_535)) throw new TypeError('SILENTAUTH_PORT must be 0 to 65535')
  return port
}
