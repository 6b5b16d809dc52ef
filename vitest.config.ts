import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Tests read the sources of sibling packages; SA_DIST=1 runs them against the built packages instead. Nothing more: Node is started
// with these as `--conditions`, and `import` or `module` among them would give ES modules to whoever calls `require`.
const conditions = process.env.SA_DIST ? ['node'] : ['@silentauth/source', 'node']

/** Programs killed at every step, twenty times an adapter: the built packages are no different there. */
const sourcesOnly = process.env.SA_DIST ? ['**/*processes.test.ts'] : []

const browserTests = ['test/browser/**/*.test.ts', '**/*.browser.test.ts']

/** By size, as Vitest would start them, these come last, and one core waits for the other. */
const LONG = /\/(test\/faults\/(model|crashes)|.*processes|sdk\/test\/gate\.contract)\.test\.ts$/

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) => LONG.test(moduleId)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

/** Servers hold their last checkpoint there; none of a test belongs into the home of whoever runs it. */
const stateFolder = path.join(tmpdir(), `silentauth-state-${process.pid}`)
process.once('exit', () => rmSync(stateFolder, { recursive: true, force: true }))

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    env: { SILENTAUTH_STATE: stateFolder },
    // For what hangs, not for what is slow: no test measures time, and a small machine may be busy.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 25_000 } },
    setupFiles: [path.join(import.meta.dirname, 'test/support/patience.ts')],
    // Much of the time is spent waiting for disks, processes and databases: no core is left for others.
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['test/**/*.test.ts', 'packages/*/test/**/*.test.{ts,tsx}', 'examples/*/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...browserTests, ...sourcesOnly],
        },
      },
      {
        // Apart, because only these tests wait until a browser was found or unpacked.
        extends: true,
        test: {
          name: 'browser',
          include: browserTests,
          exclude: ['**/node_modules/**'],
          globalSetup: ['test/browser/global-setup.ts'],
        },
      },
    ],
  },
})
