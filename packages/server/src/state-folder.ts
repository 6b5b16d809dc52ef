/**
 * The state folder of a user: what a gate knows besides its data folder and its database, so that a restored backup of those does
 * not take it back too.
 *
 * @module
 */
import { homedir } from 'node:os'
import path from 'node:path'
import { type DataFolder, dataFolder } from './data-folder.js'

/**
 * `SILENTAUTH_STATE`, else `silentauth` in `XDG_STATE_HOME`, `~/.local/state`, or on Windows `LOCALAPPDATA`.
 *
 * @throws Error when it cannot be made, saying how to name another one
 */
export async function stateFolder(
  folder: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<DataFolder> {
  const where = folder ?? env.SILENTAUTH_STATE ?? path.join(stateHome(env), 'silentauth')
  try {
    return await dataFolder(where)
  } catch (cause) {
    throw new Error(`the state folder ${where} cannot be used: name another one with SILENTAUTH_STATE`, { cause })
  }
}

function stateHome({ XDG_STATE_HOME: xdg, LOCALAPPDATA: local }: Readonly<Record<string, string | undefined>>): string {
  // A relative one is to be ignored (XDG base directories).
  if (xdg !== undefined && path.isAbsolute(xdg)) return xdg
  if (process.platform === 'win32' && local) return local
  return path.join(homedir(), '.local', 'state')
}
