import { readFileSync } from 'node:fs'
import { defineConfig, type Options } from 'tsup'

/** One file of JavaScript per entry that the package in the working directory exports; tsc adds the declarations. */
export function buildOf(more: Options = {}): Options {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
    exports: Record<string, string | Record<string, string>>
  }
  const doors = Object.values(manifest.exports).filter((door) => typeof door === 'object')
  return {
    entry: doors.flatMap((door) => door['@silentauth/source'] ?? []),
    format: ['esm'],
    target: 'node22',
    // tsup's own needs an API that TypeScript 7 no longer has.
    dts: false,
    sourcemap: true,
    clean: true,
    // `node:sqlite` exists under no other name.
    removeNodeProtocol: false,
    ...more,
  }
}

export default defineConfig(() => buildOf())
