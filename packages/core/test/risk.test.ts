import { describe, expect, it } from 'vitest'
import {
  effectiveTier,
  hasHiddenCharacters,
  highestTier,
  RISK_FACTORS,
  type RiskInput,
  riskScore,
} from '../src/risk.js'

describe('effectiveTier', () => {
  const agent = { riskSensitivity: 'high', enforce: true } as const
  it.each([
    ['medium where nothing is claimed', {}, 'medium'],
    ['the claim', { claimed: 'low' }, 'low'],
    ['a higher claim', { claimed: 'critical' }, 'critical'],
    ['what the agent enforces, above the claim', { claimed: 'low', agent }, 'high'],
    ['a claim above what the agent enforces', { claimed: 'critical', agent }, 'critical'],
    ['not what the agent only suggests', { claimed: 'low', agent: { ...agent, enforce: false } }, 'low'],
    ['what the project demands', { claimed: 'low', actionTiers: { 'issue_*': 'high' } }, 'high'],
    [
      'the highest of several',
      { claimed: 'low', actionTiers: { '*': 'medium', issue_refund: 'critical' } },
      'critical',
    ],
    ['nothing for another action', { claimed: 'low', actionTiers: { 'deploy_*': 'critical' } }, 'low'],
    ['not below medium for a tier that nobody claimed', { actionTiers: { 'issue_*': 'low' } }, 'medium'],
  ] as const)('is %s', (_, input, expected) => {
    expect(effectiveTier({ action: 'issue_refund', ...input }).tier).toBe(expected)
  })

  it.each([
    [{ claimed: 'critical' }, 'medium'],
    [{ claimed: 'low' }, 'medium'],
    [{ claimed: 'critical', agent }, 'high'],
  ] as const)('knows what %j is without its claim', (input, expected) => {
    expect(effectiveTier({ action: 'issue_refund', ...input }).unclaimed).toBe(expected)
  })

  it.each([
    [{ 'issue_*': 'low' }, true],
    [{ 'read_*': 'low' }, false],
    [{}, false],
  ] as const)('is named by %j: %s', (actionTiers, expected) => {
    expect(effectiveTier({ action: 'issue_refund', actionTiers }).named).toBe(expected)
  })
})

describe('highestTier', () => {
  it('passes over what is not given', () => {
    expect(highestTier('low', undefined, 'high', 'medium')).toBe('high')
  })
})

const monday = Date.parse('2026-01-12T10:00:00Z')
const harmless: RiskInput = {
  tier: 'low',
  policyMatched: true,
  sourceIsRegistered: true,
  sourceIsBound: true,
  earlierOfAction: 3,
  unsettledTwins: 0,
  acceptsEdits: false,
  reenters: false,
  idempotent: false,
  params: { amount: 1 },
  now: monday,
}

describe('riskScore', () => {
  it('is zero when no factor applies', () => {
    expect(riskScore(harmless)).toEqual({ score: 0, factors: [] })
  })

  it.each([
    ['tier_medium', { tier: 'medium' }],
    ['tier_high', { tier: 'high' }],
    ['tier_critical', { tier: 'critical' }],
    ['no_policy', { policyMatched: false }],
    ['unregistered_source', { sourceIsRegistered: false }],
    ['unbound_key', { sourceIsBound: false }],
    ['first_time', { earlierOfAction: 0 }],
    ['maybe_repeated', { unsettledTwins: 1 }],
    ['accepts_edits', { acceptsEdits: true }],
    ['reenters', { reenters: true }],
    ['idempotent', { idempotent: true }],
    ['hidden_characters', { params: { to: 'bob\u202e@example.com' } }],
    ['hidden_characters', { params: { 'am\u200bount': 1 } }],
    ['hidden_characters', { params: { list: [{ deep: 'a\u2066b' }] } }],
    ['hidden_characters', { context: { reasoning: 'pre\u200bapproved' } }],
    ['hidden_characters', { metadata: { note: '\u{e0041}' } }],
    ['bulky_params', { params: { text: 'x'.repeat(8_193) } }],
    ['out_of_hours', { now: Date.parse('2026-01-10T10:00:00Z') }],
    ['out_of_hours', { now: Date.parse('2026-01-12T07:59:59Z') }],
    ['out_of_hours', { now: Date.parse('2026-01-12T18:00:00Z') }],
    ['out_of_hours', { now: Date.parse('2026-01-12T17:30:00Z'), projectZone: 'Europe/Berlin' }],
  ] as const)('names %s', (name, change) => {
    const { weight } = RISK_FACTORS[name]
    expect(riskScore({ ...harmless, ...change })).toEqual({ score: weight, factors: [{ name, weight }] })
  })

  it('adds its factors up, to at most 100', () => {
    const worst = riskScore({
      ...harmless,
      tier: 'critical',
      policyMatched: false,
      sourceIsRegistered: false,
      sourceIsBound: false,
      unsettledTwins: 2,
    })
    expect([worst.score, worst.factors.length]).toEqual([100, 5])
  })

  it('gives the factors in the order of the table', () => {
    const { factors } = riskScore({ ...harmless, tier: 'high', idempotent: true, earlierOfAction: 0 })
    expect(factors.map(({ name }) => name)).toEqual(['tier_high', 'first_time', 'idempotent'])
  })
})

describe('hasHiddenCharacters', () => {
  it.each([
    ['plain text', 'Grüße, 東京!\n\ttabs and lines', false],
    ['an emoji of several parts', 'family 👨‍👩‍👧‍👦 ❤️', false],
    ['right to left letters', 'שלום', false],
    ['a right to left override', 'a\u202eb', true],
    ['an isolate', 'a\u2067b', true],
    ['a zero-width space', 'a\u200bb', true],
    ['a joiner between letters', 'a\u200db', true],
    ['a byte order mark', '\ufeffa', true],
    ['a soft hyphen', 'a\u00adb', true],
    ['a Hangul filler', 'a\u3164b', true],
    ['a blank Braille pattern', 'a\u2800b', true],
    ['a variation selector after a letter', 'a\ufe0f', true],
    ['an escape', 'a\u001b[2J', true],
    ['a line separator', 'a\u2028b', true],
    ['a private character', '\ue000', true],
  ])('%s: %j is %s', (_, text, expected) => {
    expect(hasHiddenCharacters(text)).toBe(expected)
  })
})
