import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { bothSpellings, inCamelCase } from '../src/spelling.js'

interface Members {
  readonly action: string
  readonly riskTier?: string
  readonly expiresIn?: number
  readonly params?: object
}
const NAMES = ['action', 'riskTier', 'expiresIn', 'params'] as const

describe('a result', () => {
  const result = bothSpellings({ id: 'int_1', approvalUrl: 'https://gate.example.com/inbox/int_1' })

  it('can be read in both spellings', () => {
    expect([result.approvalUrl, result.approval_url, result.id]).toEqual([
      'https://gate.example.com/inbox/int_1',
      'https://gate.example.com/inbox/int_1',
      'int_1',
    ])
  })

  it.each<[string, (value: object) => string]>([
    ['is printed', inspect],
    ['is serialised', (value) => JSON.stringify(value)],
    ['is spread', (value) => JSON.stringify({ ...value })],
  ])('says everything once when it %s', (_, print) => {
    expect(print(result)).not.toContain('approval_url')
  })
})

describe('an input', () => {
  it.each<[string, Record<string, unknown>]>([
    ['camelCase', { action: 'a', riskTier: 'high', expiresIn: 60 }],
    ['snake_case', { action: 'a', risk_tier: 'high', expires_in: 60 }],
    ['both, mixed', { action: 'a', riskTier: 'high', expires_in: 60 }],
  ])('may be written in %s', (_, input) => {
    expect(inCamelCase<Members>(input as never, NAMES)).toEqual({ action: 'a', riskTier: 'high', expiresIn: 60 })
  })

  it('may use the name that the wire has for a member', () => {
    expect(inCamelCase<Members>({ action: 'a', parameters: {} } as never, NAMES, { parameters: 'params' })).toEqual({
      action: 'a',
      params: {},
    })
  })

  it('may say that it says nothing', () => {
    expect(inCamelCase<Members>({ action: 'a', riskTier: undefined } as never, NAMES)).toEqual({ action: 'a' })
  })

  it.each<[string, Record<string, unknown>]>([
    ['a member that is not one', { action: 'a', tier: 'high' }],
    ['two spellings of a member', { action: 'a', riskTier: 'low', risk_tier: 'high' }],
    ['a member of every object', { action: 'a', constructor: 'b' }],
  ])('is refused with %s', (_, input) => {
    expect(() => inCamelCase<Members>(input as never, NAMES)).toThrow(TypeError)
  })
})
