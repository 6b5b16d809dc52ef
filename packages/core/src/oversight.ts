/**
 * Oversight: what people do to an approved intent after the decision, withdraw it (E15) or say what became of it (E17).
 *
 * @module
 */
import { approvalRule } from './approval-rule.js'
import type { SilentAuthError } from './errors.js'
import { close } from './execution.js'
import type { EpochMs } from './json.js'
import type { Principal } from './registry.js'
import { finish } from './report.js'
import { event, type FinalStatus, refused, revokeAll, type State, type Transition } from './state.js'
import { type Bench, type CanVote, canVote, type Vote } from './vote.js'

export interface WithdrawCommand {
  readonly type: 'withdraw'
  readonly by: Principal
  readonly reason: string
  readonly bench: Bench
}
export interface ReconcileCommand {
  readonly type: 'reconcile'
  readonly by: Principal
  readonly finding: Finding
  readonly bench: Bench
}
export interface Finding {
  readonly finding: 'happened' | 'did_not_happen'
  readonly comment?: string | undefined
}

/** E17: after the last permit has expired everywhere, skew included. */
const RECONCILE_AFTER_SECONDS = 60

/** E15. */
export function withdrawApproval(state: State, { by, reason, bench }: WithdrawCommand, now: EpochMs): Transition {
  if (!isAdmin(by, bench)) requireVoter(state, by, bench)
  if (state.status !== 'approved') throw refused(state, 'NOT_APPROVED', `it is ${state.status}`)
  const withdrawn = event(state, 'intent.withdrawn', { by: `user:${by.id}`, reason: reason.length > 0 })
  const stopped = (): Transition => ({
    state: {
      ...state,
      permits: revokeAll(state.permits, now),
      execution: { ...state.execution, withdrawnAt: state.execution.withdrawnAt ?? now },
    },
    events: [withdrawn],
    permits: [],
  })
  switch (state.execution.state) {
    case 'none': {
      const closed = close(state, 'abandoned', now)
      return { ...closed, events: [withdrawn, ...closed.events] }
    }
    case 'started':
    case 'suspended':
    case 'unknown':
    case 'delivered':
      return stopped()
    case 'failed':
      // E13: it would be granted again, until its window is over.
      if (state.declaration.idempotent && now < (state.useUntil ?? 0)) return stopped()
      throw over(state)
    case 'succeeded':
    case 'abandoned':
      throw over(state)
  }
}

/** E17. Not by an admin as such: whoever asked for it must not say what came of it, and so have it run again. */
export function reconcileExecution(state: State, { by, finding, bench }: ReconcileCommand, now: EpochMs): Transition {
  requireVoter(state, by, bench)
  if (state.status !== 'approved') throw refused(state, 'NOT_APPROVED', `it is ${state.status}`)
  switch (state.execution.state) {
    case 'none':
    case 'started':
    case 'suspended':
    case 'delivered':
      throw refused(state, 'IN_FLIGHT', `its execution is ${state.execution.state}`)
    case 'succeeded':
    case 'failed':
    case 'abandoned':
      throw over(state)
    case 'unknown': {
      const exp = Math.max(0, ...state.permits.map((permit) => permit.exp ?? 0))
      if (now < (exp + RECONCILE_AFTER_SECONDS) * 1000) {
        throw refused(state, 'IN_FLIGHT', 'its permit may still be used: wait a minute after it expired')
      }
      const status: FinalStatus = finding.finding === 'happened' ? 'succeeded' : 'failed'
      const done = finish(state, 'person', { status }, now)
      const found = event(state, 'execution.reconciled', { by: `user:${by.id}`, finding: finding.finding })
      return { ...done, events: [found, ...done.events] }
    }
  }
}

function over(state: State): SilentAuthError {
  return refused(state, 'ALREADY_RESOLVED', `its execution is ${state.execution.state}`)
}

function isAdmin(by: Principal, { directory }: Bench): boolean {
  const person = directory.people.find(({ id }) => id === by.id)
  return person?.status === 'active' && person.roles.some((role) => role === 'owner' || role === 'admin')
}

/** A person who may vote on it; where policy alone decided, one who could have, had it not. */
export function requireVoter(state: State, by: Principal, bench: Bench, verdict: Vote['verdict'] = 'deny'): void {
  const allowed = mayOversee(state, by, bench, verdict)
  if (!allowed.ok) throw refused(state, allowed.code, allowed.reason)
}

/** As `requireVoter`, for a page that shows what a person may do. */
export function mayOversee(state: State, by: Principal, bench: Bench, verdict: Vote['verdict']): CanVote {
  const { declaration } = state
  const rules = bench.rules.length > 0 ? bench.rules : [approvalRule(declaration.policy, declaration.riskTier)]
  return canVote(by, declaration, [], { ...bench, rules }, verdict)
}
