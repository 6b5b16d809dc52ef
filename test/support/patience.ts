/**
 * Set up in every test file: `vi.waitFor` and `vi.waitUntil` give up after as long as `expect.poll` does. Vitest's own second
 * is too short for a small machine on which a hundred processes run at once.
 *
 * @module
 */
import { vi } from 'vitest'

const PATIENCE_MS = 25_000

const { waitFor, waitUntil } = vi
vi.waitFor = (callback, options) => waitFor(callback, patient(options))
vi.waitUntil = (callback, options) => waitUntil(callback, patient(options))

function patient<Options extends object>(options: number | Options | undefined): number | Options {
  return typeof options === 'number' ? options : ({ timeout: PATIENCE_MS, ...options } as Options)
}
