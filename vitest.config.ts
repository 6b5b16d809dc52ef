import { defineConfig } from 'vitest/config'

// Tests read the sources of sibling packages; SA_DIST=1 runs them against the built packages instead.
const conditions = process.env.SA_DIST
  ? ['node', 'module', 'import', 'default']
  : ['@silentauth/source', 'node', 'module', 'import', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: { include: ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'examples/*/**/*.test.ts'] },
})
