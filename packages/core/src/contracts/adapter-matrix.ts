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

/** As one table in Markdown. */
export function adapterMatrix(columns: readonly AdapterColumn[]): string {
  const heads = columns.map(({ framework, mode }) => `${framework}, ${mode}`)
  return table(
    heads,
    rowsOf(columns).map(({ name, cells }) => [name, ...cells]),
  )
}

/**
 * As tables in Markdown, narrow enough to be read: first what is the same in every framework, then for each framework what is
 * not, under a heading with its name. A column for each mode.
 */
export function adapterTables(columns: readonly AdapterColumn[]): string {
  const rows = rowsOf(columns)
  const modes = [...new Set(columns.map(({ mode }) => mode))]
  const cellsOf = ({ cells }: Row, mode: AdapterMode) => cells.filter((_, place) => columns[place]?.mode === mode)
  const isSame = (row: Row) => modes.every((mode) => new Set(cellsOf(row, mode)).size === 1)
  const everywhere = rows.filter(isSame).map((row) => [row.name, ...modes.map((mode) => cellsOf(row, mode)[0] ?? '')])
  const sections = [...new Set(columns.map(({ framework }) => framework))].map((framework) => {
    const own = columns.filter((column) => column.framework === framework)
    const differing = rows.filter((row) => !isSame(row))
    const lines = differing.map(({ name, cells }) => [
      name,
      ...own.map((column) => cells[columns.indexOf(column)] ?? ''),
    ])
    return section(
      framework,
      table(
        own.map(({ mode }) => mode),
        lines,
      ),
    )
  })
  return [section('In every framework', table(modes, everywhere)), ...sections].join('\n')
}

interface Row {
  readonly name: string
  /** One for each column. */
  readonly cells: readonly string[]
}

function rowsOf(columns: readonly AdapterColumn[]): Row[] {
  return ADAPTER_SCENARIOS.map((scenario) => ({
    name: scenario.name,
    cells: columns.map(({ mode, differences }) => outcome(expectedIn(scenario, mode, differences))),
  }))
}

function section(title: string, text: string): string {
  return `## ${title}\n\n${text}`
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = ['what happens', ...heads]
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
