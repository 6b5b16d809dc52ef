/**
 * Arguments for Node, so that a child of a test reads what the test reads: the sources, else the built packages.
 *
 * @module
 */
import path from 'node:path'

const SOURCES = path.join(import.meta.dirname, '../../packages/store/test/sources.mjs')

export function loaders(): readonly string[] {
  const sources = import.meta.resolve('@silentauth/core').endsWith('.ts')
  return sources ? ['--conditions=@silentauth/source', '--import', SOURCES] : []
}
