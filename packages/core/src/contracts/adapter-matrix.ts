/**
 * The matrix of adapters: each scenario of the conformance suite, and what comes of it in each framework and mode, or why it
 * cannot be.
 *
 * @module
 */
import { type AdapterMode, type Expected, expectedIn, reasonNotPlayed } from './adapter-scenario.js'
import { ADAPTER_SCENARIOS } from './adapter-scenarios.js'

export interface AdapterColumn {
  readonly framework: string
  readonly mode: AdapterMode
  /** Scenario → why this framework cannot play it; what its test of `describeAdapter` is given. */
  readonly skip?: Readonly<Record<string, string>> | undefined
}

/** As Markdown. */
export function adapterMatrix(columns: readonly AdapterColumn[]): string {
  const rows = ADAPTER_SCENARIOS.map((scenario) => [
    scenario.name,
    ...columns.map(({ mode, skip }) => {
      const reason = skip?.[scenario.name] ?? reasonNotPlayed(scenario, mode)
      return reason === undefined ? outcome(expectedIn(scenario, mode)) : `– (${reason})`
    }),
  ])
  const head = ['what happens', ...columns.map(({ framework, mode }) => `${framework}, ${mode}`)]
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

/** What the model sees; what the caller sees, if it is no answer; how many intents there are; how often the tool ran. */
function outcome({ sees, caller, intents, ran }: Expected): string {
  const told = sees?.map((seen) => (typeof seen === 'string' ? seen : `\`${seen.refused}\``)).join(', ')
  const got = caller === undefined || caller === 'the answer' ? undefined : `the caller gets ${caller}`
  const asked = `${intents.length} ${intents.length === 1 ? 'intent' : 'intents'}`
  return [told, got, asked, `ran ${ran.length}×`].filter((part) => part !== undefined).join('; ')
}
