/**
 * The configuration file: what the environment would say, as `NAME=value` lines, for every command. What the environment says stands.
 *
 * @module
 */
import { statSync } from 'node:fs'

/**
 * @param file `SILENTAUTH_CONFIG`; undefined: none
 * @throws TypeError when it cannot be read, or everybody can read it: it may hold a password
 */
export function readConfiguration(file: string | undefined): void {
  if (file === undefined || file === '') return
  try {
    if (process.platform !== 'win32' && (statSync(file).mode & 0o007) !== 0) {
      throw new TypeError(`SILENTAUTH_CONFIG: everybody can read ${file}: chmod 600`)
    }
    process.loadEnvFile(file)
  } catch (cause) {
    if (cause instanceof TypeError) throw cause
    throw new TypeError(`SILENTAUTH_CONFIG: ${file} cannot be read`, { cause })
  }
}
