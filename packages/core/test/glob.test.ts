import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileGlob, MAX_GLOB_LENGTH } from '../src/glob.js'

describe('compileGlob', () => {
  it.each([
    ['read_logs', 'read_logs', true],
    ['read_logs', 'read_log', false],
    ['read_logs', 'read_logs_all', false],
    ['read_*', 'read_logs', true],
    ['read_*', 'read_', true],
    ['read_*', 'unread_logs', false],
    ['*', '', true],
    ['*', 'anything', true],
    ['**', 'anything', true],
    ['*_delete', 'user_delete', true],
    ['*_delete', '_delete', true],
    ['*_delete', 'user_deleted', false],
    ['*_prod_*', 'deploy_prod_eu', true],
    ['*_prod_*', 'deploy_production', false],
    ['a*b*c', 'abc', true],
    ['a*b*c', 'a-b-b-c-c', true],
    ['a*b*c', 'acb', false],
    ['a*a', 'a', false],
    ['?', '', false],
    ['?', 'x', true],
    ['?', 'xy', false],
    ['issue_?efund', 'issue_refund', true],
    ['issue_?efund', 'issue_efund', false],
    ['?*', '', false],
    ['*?', 'x', true],
    ['agent-?', 'agent-😀', true],
    ['', '', true],
    ['', 'x', false],
    ['Read_*', 'read_logs', false],
    ['a.c', 'abc', false],
    ['[ab]', 'a', false],
    ['[ab]*', '[ab]c', true],
    ['a+', 'aa', false],
    ['\\*', '\\anything', true],
    ['refund-*-v1', 'refund-x-v1-v1', true],
    ['refund-*-v1', 'refund-v1', false],
  ])('%j and %j: %s', (pattern, text, expected) => {
    expect(compileGlob(pattern).matches(text)).toBe(expected)
  })

  it.each([
    ['read_logs', 'read_logs', true],
    ['read_*', 'read_', false],
    ['re?d', 're', false],
    ['*', '', false],
  ])('knows the literal beginning of %j', (pattern, prefix, exact) => {
    expect(compileGlob(pattern)).toMatchObject({ pattern, prefix, exact })
  })

  it('matches patterns longer than one word of states', () => {
    const pattern = `${'ab?'.repeat(30)}*${'yz'.repeat(30)}`
    const text = `${'abc'.repeat(30)}between${'yz'.repeat(30)}`
    expect([compileGlob(pattern).matches(text), compileGlob(pattern).matches(`${text}z`)]).toEqual([true, false])
  })

  it('agrees with the definition on random patterns and texts', () => {
    const names = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 40 })
    const texts = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 40 })
    fc.assert(
      fc.property(names, texts, (pattern, text) => compileGlob(pattern).matches(text) === byDefinition(pattern, text)),
      { numRuns: 2000 },
    )
  })

  it('reads each character of the text once, however the stars are placed', () => {
    const length = 20_000
    let reads = 0
    const text = {
      startsWith: () => true,
      *[Symbol.iterator]() {
        for (let index = 0; index < length; index++) {
          reads += 1
          yield 'a'
        }
      },
    }
    const matched = compileGlob(`a${'*a'.repeat(100)}*b`).matches(text as unknown as string)
    expect([matched, reads]).toEqual([false, length])
  })

  it('refuses a pattern that is too long', () => {
    expect(() => compileGlob('a'.repeat(MAX_GLOB_LENGTH + 1))).toThrow(TypeError)
  })
})

/** The definition as a table over prefixes. */
function byDefinition(pattern: string, text: string): boolean {
  let row = [true, ...[...text].map(() => false)]
  for (const character of pattern) {
    const next = [character === '*' && row[0] === true]
    for (const [index, read] of [...text].entries()) {
      if (character === '*') next.push(next[index] === true || row[index + 1] === true)
      else next.push(row[index] === true && (character === '?' || character === read))
    }
    row = next
  }
  return row.at(-1) === true
}
