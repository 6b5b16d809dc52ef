import { describe, expect, it } from 'vitest'
import { ADAPTER_SCENARIOS, adapterMatrix, adapterTables } from '../src/contracts.ts'

const rowOf = (name: string, columns: Parameters<typeof adapterMatrix>[0]) =>
  adapterMatrix(columns)
    .split('\n')
    .find((row) => row.startsWith(`| ${name} |`))
const both = [
  { framework: 'One', mode: 'hold' },
  { framework: 'Two', mode: 'suspend' },
] as const

it('has a row for each scenario, and a cell for each framework and mode', () => {
  const rows = adapterMatrix(both).trimEnd().split('\n')
  expect(rows).toHaveLength(ADAPTER_SCENARIOS.length + 2)
  expect(new Set(rows.map((row) => row.split('|').length))).toEqual(new Set([5]))
})

it.each([
  ['approved', '| approved | refunded 250; 1 intent; ran 1× | refunded 250; 1 intent; ran 1× |'],
  ['gate down at wait', '| gate down at wait | `GATE_UNAVAILABLE`; 1 intent; ran 0× | – (no process waits) |'],
  [
    'gate down at claim',
    '| gate down at claim | `GATE_UNAVAILABLE`; 1 intent; ran 0× | the caller gets a run that waits; 1 intent; ran 0× |',
  ],
  [
    'resumed before the decision',
    '| resumed before the decision | – (the process waits) | refunded 250; 1 intent; ran 1× |',
  ],
])('says what comes of it in each, or why it cannot be: %s', (name, row) => {
  expect(rowOf(name, both)).toBe(row)
})

it.each([
  ['it has no tools', '– (it has no tools)'],
  [
    { sees: [{ error: 'no' }], caller: 'the answer', intents: [], ran: [], because: 'it asks nobody' } as const,
    'an error: no; 0 intents; ran 0× (it asks nobody)',
  ],
])('says what a framework cannot play, or what comes of it instead, and why', (difference, cell) => {
  const columns = [{ framework: 'One', mode: 'hold', differences: { approved: difference } }] as const
  expect(rowOf('approved', columns)).toBe(`| approved | ${cell} |`)
})

describe('in tables', () => {
  const columns = [
    { framework: 'One', mode: 'hold' },
    { framework: 'One', mode: 'suspend' },
    { framework: 'Two', mode: 'hold', differences: { denied: 'it denies nothing' } },
    { framework: 'Two', mode: 'suspend' },
  ] as const
  const sections = new Map(
    adapterTables(columns)
      .split(/^## /m)
      .slice(1)
      .map((section): [string, string[]] => {
        const [title = '', , , , ...rows] = section.trimEnd().split('\n')
        return [title, rows]
      }),
  )
  const named = (title: string) => sections.get(title)?.map((row) => row.split(' | ')[0]?.slice(2))

  it('stands once what is the same everywhere, though the modes differ', () => {
    expect([...sections.keys()]).toEqual(['In every framework', 'One', 'Two'])
    const everywhere = sections.get('In every framework') ?? []
    expect(everywhere).toHaveLength(ADAPTER_SCENARIOS.length - 1)
    expect(everywhere).toContain('| gate down at wait | `GATE_UNAVAILABLE`; 1 intent; ran 0× | – (no process waits) |')
    expect(named('In every framework')).not.toContain('denied')
  })

  it('stands in each framework, with its modes, what is not', () => {
    expect(sections.get('One')).toEqual([rowOf('denied', columns.slice(0, 2))])
    expect(sections.get('Two')).toEqual([rowOf('denied', columns.slice(2))])
  })

  it('no scenario is lost', () => {
    const all = new Set([...sections.keys()].flatMap((title) => named(title) ?? []))
    expect(all).toEqual(new Set(ADAPTER_SCENARIOS.map(({ name }) => name)))
  })
})
