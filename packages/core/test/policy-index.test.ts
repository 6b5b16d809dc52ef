import { describe, expect, it } from 'vitest'
import type { Policy, PolicyMatch } from '../src/policy.js'
import { policyIndex } from '../src/policy-index.js'

function candidatesOf(
  matches: readonly PolicyMatch[],
  action: string,
  source: string,
  environment?: string,
): readonly string[] {
  const policies = matches.map(
    (match, rank): Policy => ({
      id: `pol_${rank}`,
      version: 1,
      createdAt: 0,
      name: 'a policy',
      enabled: true,
      mode: 'enforce',
      priority: 0,
      match,
      decision: 'require_approval',
    }),
  )
  const next = policyIndex(policies).candidates(action, source, environment)
  const ids: string[] = []
  for (let candidate = next(); candidate !== undefined; candidate = next()) ids.push(candidate.policy.id)
  return ids
}

describe('policyIndex', () => {
  it('gives those that can match, in their order, from every list', () => {
    const matches: readonly PolicyMatch[] = [
      { actionPattern: 'read_*' },
      { source: 'refund-*' },
      {},
      { actionPattern: 'read_logs' },
      { actionPattern: 'rea*' },
      { source: 'refund-agent' },
      { actionPattern: '*_logs' },
      { environment: 'production' },
      { actionPattern: 'read_*', source: 'refund-*', environment: 'production' },
    ]
    expect(candidatesOf(matches, 'read_logs', 'refund-agent', 'production')).toEqual(
      matches.map((_, rank) => `pol_${rank}`),
    )
  })

  it.each([
    ['another action', { actionPattern: 'write_logs' }],
    ['another beginning', { actionPattern: 'write_*' }],
    ['a longer beginning', { actionPattern: 'read_logs_*' }],
    ['another source', { source: 'deploy-agent' }],
    ['sources that begin in another way', { source: 'deploy-*' }],
    ['another source of the same action', { actionPattern: 'read_logs', source: 'deploy-agent' }],
    ['another environment', { environment: 'staging' }],
  ])('does not ask a policy for %s', (_, match) => {
    expect(candidatesOf([match], 'read_logs', 'refund-agent', 'production')).toEqual([])
  })

  it('does not ask a policy for an environment where the key has none', () => {
    expect(candidatesOf([{ environment: 'production' }], 'read_logs', 'refund-agent')).toEqual([])
  })

  it('asks no more than the few that can match among ten thousand', () => {
    const matches: PolicyMatch[] = Array.from({ length: 5_000 }, (_, index) => ({ actionPattern: `tool_${index}_*` }))
    matches.push(
      ...Array.from({ length: 5_000 }, (_, index) => ({ actionPattern: 'tool_*', source: `agent-${index}` })),
    )
    expect(candidatesOf(matches, 'tool_42_run', 'agent-7')).toEqual(['pol_42', 'pol_5007'])
  })

  it('finds no more once it is through', () => {
    const next = policyIndex([]).candidates('read_logs', '', undefined)
    expect([next(), next()]).toEqual([undefined, undefined])
  })
})
