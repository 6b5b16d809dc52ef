/**
 * What it costs to evaluate an intent against 10,000 policies. Target: 50 µs, where action, source or environment tell the policies apart.
 *
 * @module
 */
import { evaluate, type Policy, parsePolicy, policySet, type Subject } from '@silentauth/core'

const COUNT = 10_000
const TARGET_MICROSECONDS = 50
const ROUNDS = 20_000
const BATCHES = 9

/** A project with a tool for everything: mostly single actions, some families, a few rules for agents and for all. */
const mixed = policiesOf((index) => {
  if (index % 100 < 70) return { action_pattern: `tool_${index}` }
  if (index % 100 < 90) return { action_pattern: `family_${index}_*` }
  if (index % 100 < 98) return { source: `agent-${index}` }
  return index % 2 === 0 ? { environment: 'staging' } : { action_pattern: `*_${index}` }
})
/** One tool, and a policy for each of the agents that use it. */
const perAgent = policiesOf((index) => ({ action_pattern: 'issue_refund', source: `agent-${index}-*` }))
/** No index helps: every policy is about every action, source and environment. */
const unindexed = policiesOf(() => ({ risk_tier: 'critical' }))
/** Every policy for the action that is asked for, told apart by its params. */
const sameAction = policiesOf((index) => ({
  action_pattern: 'issue_refund',
  params_schema: { properties: { amount: { minimum: 1_000_000 + index } }, required: ['amount'] },
}))

console.log(`evaluate an intent against ${COUNT} policies, µs; target ≤ ${TARGET_MICROSECONDS}`)
report('no policy matches', mixed, subjectOf('issue_refund'), true)
report('the last of them matches', mixed, subjectOf('tool_9969'), true)
report('one policy per agent', perAgent, subjectOf('issue_refund', 'agent-9999-eu'), true)
report('none that an index can tell apart', unindexed, subjectOf('issue_refund'), false)
report('all for one action, by params', sameAction, subjectOf('issue_refund'), false)

function policiesOf(match: (index: number) => object): readonly Policy[] {
  return Array.from({ length: COUNT }, (_, index) => ({
    ...parsePolicy({
      name: `policy ${index}`,
      priority: COUNT - index,
      match: match(index),
      decision: 'require_approval',
    }),
    id: `pol_${index}`,
    version: 1,
    createdAt: index,
  }))
}

function subjectOf(action: string, source = 'agent-x'): Subject {
  return {
    action,
    params: { customer_id: 'cust_4821', amount: 250 },
    sourceType: 'ai_agent',
    source,
    sourceIsBound: false,
    risk: { tier: 'medium', unclaimed: 'medium', named: false },
    environment: 'production',
    reenters: false,
    idempotent: false,
  }
}

/** The best of several batches: what the machine does besides is not what is measured. */
function report(name: string, policies: readonly Policy[], subject: Subject, counts: boolean): void {
  const set = policySet(policies)
  const once = timed(() => evaluate(set, subject), 1)
  const rounds = Math.max(3, Math.min(ROUNDS, Math.round(50_000 / once)))
  let best = Number.POSITIVE_INFINITY
  for (let batch = 0; batch < BATCHES; batch++)
    best = Math.min(
      best,
      timed(() => evaluate(set, subject), rounds),
    )
  const verdict = counts ? (best <= TARGET_MICROSECONDS ? 'reached' : 'MISSED') : 'for comparison'
  console.log(`  ${name.padEnd(36)} ${best.toFixed(2).padStart(10)}  ${verdict}`)
}

function timed(run: () => unknown, rounds: number): number {
  const begin = process.hrtime.bigint()
  for (let round = 0; round < rounds; round++) run()
  return Number(process.hrtime.bigint() - begin) / 1000 / rounds
}
