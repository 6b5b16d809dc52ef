import { describe, expect, it } from 'vitest'
import { ruleBook } from '../src/index.ts'

interface Options {
  action?: string
  riskTier?: string
}
const book = (rules: object, options: object = {}) => ruleBook<Options>({ ...options, rules } as never)

describe('a rule book', () => {
  it.each([
    ['delete_file', { type: 'pass' }],
    ['delete_all', { type: 'gate', options: { riskTier: 'critical', action: 'destroy' } }],
    ['drop_table', { type: 'deny', options: { riskTier: 'low' } }],
    ['refund', { type: 'gate', options: { riskTier: 'low' } }],
  ])('has the first rule that matches for %s', (name, ruled) => {
    const rules = { delete_file: 'pass', 'delete_*': { riskTier: 'critical', action: 'destroy' }, 'drop_*': 'deny' }
    expect(book(rules, { riskTier: 'low' }).of(name)).toEqual(ruled)
  })

  it('gates what no rule names, unless it says otherwise', () => {
    expect([book({}).of('a').type, book({}, { default: 'pass' }).of('a').type]).toEqual(['gate', 'pass'])
  })

  it.each([
    ['a rule that is none', { refund: true }, {}],
    ['a text that is no rule', { refund: 'allow' }, {}],
    ['a default that is none', {}, { default: 'allow' }],
  ])('is not made with %s', (_, rules, options) => {
    expect(() => book(rules, options)).toThrow(TypeError)
  })

  it('misses a tool that a rule names, and not one that a glob could', () => {
    expect(() => book({ refund: 'gate' }).requireTools(['refnud'])).toThrow(TypeError)
    expect(() => book({ 'refund*': 'gate' }).requireTools([])).not.toThrow()
  })

  it('lets no two tools ask for one action, also when one of them comes later', () => {
    const one = book({})
    one.claimAction('sendMail', {})
    one.claimAction('sendMail', {})
    expect(() => one.claimAction('send_mail', {})).toThrow(TypeError)
    expect(() => one.claimAction('send_mail', { action: 'mail' })).not.toThrow()
  })
})

describe('a polluted prototype, which every object inherits from', () => {
  it.each([
    ['default', 'pass'],
    ['rules', { '*': 'pass' }],
  ])('lets no tool pass: %s', (member, value) => {
    const prototype = Object.prototype as unknown as Record<string, unknown>
    prototype[member] = value
    try {
      expect(ruleBook({}).of('refund')).toMatchObject({ type: 'gate' })
      expect(ruleBook(Object.create({ default: 'deny' })).of('refund')).toMatchObject({ type: 'deny' })
    } finally {
      delete prototype[member]
    }
  })
})
