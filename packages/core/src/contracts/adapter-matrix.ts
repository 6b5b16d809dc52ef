/**
 * The matrix of adapters: each scenario of the conformance suite, and what comes of it in each framework and mode, or why it
 * cannot be.
 *
 * @module
 */
import { type AdapterMode, type Deviation, type Differences, type Expected, expectedIn } from './adapter-scenario.js'
import { ADAPTER_SCENARIOS } from './adapter-scenarios.js'

export interface AdapterColumn {
  readonly framework: string
  readonly mode: AdapterMode
  /** What its test of `describeAdapter` is given. */
  readonly differences?: Differences | undefined
}

/** As Markdown. */
export function adapterMatrix(columns: readonly AdapterColumn[]): string {
  const rows = ADAPTER_SCENARIOS.map((scenario) => [
    scenario.name,
    ...columns.map(({ mode, differences }) => outcome(expectedIn(scenario, mode, differences))),
  ])
  const head = ['what happens', ...columns.map(({ framework, mode }) => `${framework}, ${mode}`)]
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

/** What the model sees; what the caller sees, if it is no answer; how many intents there are; how often the tool ran. */
function outcome(expected: Expected | Deviation | string): string {
  if (typeof expected === 'string') return `– (${expected})`
  const { sees, caller, intents, ran } = expected
  const told = sees?.map(seenAs).join(', ') || undefined
  const what = typeof caller === 'object' ? `an error: ${caller.error}` : caller
  const got = what === undefined || what === 'the answer' ? undefined : `the caller gets ${what}`
  const asked = `${intents.length} ${intents.length === 1 ? 'intent' : 'intents'}`
  const came = [told, got, asked, `ran ${ran.length}×`].filter((part) => part !== undefined).join('; ')
  return 'because' in expected ? `${came} (${expected.because})` : came
}

function seenAs(seen: NonNullable<Expected['sees']>[number]): string {
  if (typeof seen === 'string') return seen
  return 'refused' in seen ? `\`${seen.refused}\`` : `an error: ${seen.error}`
}
