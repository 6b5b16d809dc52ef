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

it('says why a framework skips one', () => {
  const skip = { approved: 'it has no tools' }
  expect(rowOf('approved', [{ framework: 'One', mode: 'hold', skip }])).toBe('| approved | – (it has no tools) |')
})
