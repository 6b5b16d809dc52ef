/**
 * The policy file of an embedded gate: read at the start, and stored again whenever it changes. A file that does not
 * parse changes nothing: the policies that were there stay.
 *
 * @module
 */
import { unwatchFile, watchFile } from 'node:fs'
import { readFile } from 'node:fs/promises'
import {
  isSilentAuthError,
  type JsonObject,
  type PolicyDefinition,
  parsePolicyFile,
  parseStrictJson,
  SilentAuthError,
} from '@silentauth/core'
import type { RunningServer } from '@silentauth/server'
import { printable } from './printable.js'

const POLL_MS = 500

/** @throws SilentAuthError `INVALID_FIELD`, naming the policy and the member; TypeError when the file cannot be read */
export async function readPolicies(file: string): Promise<readonly PolicyDefinition[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new TypeError(`${file} cannot be read`, { cause })
  }
  try {
    return parsePolicyFile(parseStrictJson(text) as JsonObject)
  } catch (error) {
    if (!isSilentAuthError(error)) throw error
    const reason = error.message.slice(error.code.length + 2)
    throw new SilentAuthError(error.code, `${file}: ${reason}`, {
      cause: error,
      ...(error.field !== undefined && { field: error.field }),
    })
  }
}

/** Polls, because editors replace files rather than write to them. */
export function watchPolicies(
  file: string,
  gate: Pick<RunningServer, 'setPolicies'>,
  say: (line: string) => void,
): Disposable {
  const store = async (): Promise<void> => {
    try {
      const { changed, unknownApprovers } = await gate.setPolicies(await readPolicies(file))
      if (changed) say(`${file}: stored`)
      for (const name of unknownApprovers) say(`${file}: ${printable(name)} is neither a group nor a person yet`)
    } catch (error) {
      const reason = error instanceof Error ? printable(error.message) : 'failed'
      say(`not stored, the policies from before still hold: ${reason}`)
    }
  }
  const listener = (): void => void store()
  watchFile(file, { interval: POLL_MS }, listener)
  return { [Symbol.dispose]: () => unwatchFile(file, listener) }
}
