import { expect, it } from 'vitest'
import { ADAPTER_SCENARIOS, adapterMatrix } from '../src/contracts.ts'

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
