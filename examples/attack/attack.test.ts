import { expect, it } from 'vitest'
import { type AttackReport, isRefused } from './attack-report.ts'
import { exitCodeOf, tell } from './tell.ts'

it('each attack pays without a gate, and is refused with one', { timeout: 120_000 }, async () => {
  const lines: string[] = []
  const told = await tell({ say: (line = '') => void lines.push(line), pause: async () => {} })
  expect(told).toEqual([
    {
      name: 'a forged approval',
      refused: true,
      stock: [9999],
      gated: [],
      asked: 0,
      refusals: { 'the forged approval': 'NOT_FOUND' },
    },
    {
      name: 'the browser approves itself',
      refused: true,
      stock: [250],
      gated: [],
      asked: 0,
      refusals: { 'the answer of the browser': 'NOT_APPROVED' },
    },
    {
      name: 'an edit that changes the tool',
      refused: true,
      stock: [9999],
      gated: [],
      asked: 1,
      refusals: { 'the edit': 'INTENT_DENIED' },
    },
    {
      name: 'a stolen permit',
      refused: true,
      stock: [9999, 120],
      gated: [],
      asked: 0,
      refusals: { 'with 9999': 'PERMIT_PARAMS', 'a second time': 'PERMIT_REPLAYED' },
    },
  ])
  expect(exitCodeOf(told)).toBe(0)
  expect(lines.join('\n')).toContain('PAID 9999')
  expect(lines.join('\n')).toContain('4 of 4 attacks refused.')
})

const refused: AttackReport = { stock: [9999], gated: [], asked: 0, refusals: { it: 'NOT_FOUND' } }
it.each<[string, boolean, Partial<AttackReport>]>([
  ['nothing was paid, and it says why', true, {}],
  ['something was paid', false, { gated: [9999] }],
  ['something was refused without a code', false, { refusals: { it: 'NOT_FOUND', again: undefined } }],
  ['nothing was tried', false, { refusals: {} }],
])('an attack counts as refused or not: %s', (_, expected, change) => {
  expect(isRefused({ ...refused, ...change })).toBe(expected)
})

it.each([
  ['all were refused', [true, true], 0],
  ['one was not', [true, false], 1],
  ['there were none', [], 1],
])('the process ends with 0 only if all attacks were refused: %s', (_, told, code) => {
  expect(exitCodeOf(told.map((refused) => ({ refused })))).toBe(code)
})
