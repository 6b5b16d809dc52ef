/**
 * Seeded defects: mistakes that somebody could make in the engine. Each replaces functions of one module of core in a test build; the
 * model suite must find every one, by the properties that it holds the real engine to.
 *
 * @module
 */
import type { Store, StoreTransaction } from '@silentauth/core'
import type * as claim from '../../../packages/core/src/claim.ts'
import type * as declare from '../../../packages/core/src/declare.ts'
import type * as engine from '../../../packages/core/src/engine.ts'
import type * as execution from '../../../packages/core/src/execution.ts'
import type * as judgement from '../../../packages/core/src/judgement.ts'
import type * as lifecycle from '../../../packages/core/src/lifecycle.ts'
import type * as oversight from '../../../packages/core/src/oversight.ts'
import type * as redemption from '../../../packages/core/src/redemption.ts'
import type * as report from '../../../packages/core/src/report.ts'
import type * as restored from '../../../packages/core/src/restored-intent.ts'
import type * as stateModule from '../../../packages/core/src/state.ts'
import type * as vote from '../../../packages/core/src/vote.ts'
import { splitStore } from '../split-store.ts'

/** Modules of core, by the name of their file. */
interface Modules {
  readonly claim: typeof claim
  readonly declare: typeof declare
  readonly engine: typeof engine
  readonly execution: typeof execution
  readonly judgement: typeof judgement
  readonly lifecycle: typeof lifecycle
  readonly oversight: typeof oversight
  readonly redemption: typeof redemption
  readonly report: typeof report
  readonly 'restored-intent': typeof restored
  readonly state: typeof stateModule
  readonly vote: typeof vote
}

export interface Defect {
  /** What goes wrong, and the rule that it breaks. */
  readonly name: string
  readonly module: keyof Modules
  replace(original: Modules[keyof Modules]): object
}

type State = stateModule.State
type Transition = stateModule.Transition

export const DEFECTS: readonly Defect[] = [
  defect('a person votes with two accounts (I9)', 'vote', (original) => ({
    canVote(...args) {
      const [principal, declaration, , bench, verdict] = args
      return original.canVote(principal, declaration, [], bench, verdict)
    },
  })),
  defect('the owner of the agent votes (I11)', 'vote', (original) => ({
    canVote(principal, declaration, votes, bench, verdict) {
      const withoutOwner = { ...bench, agent: bench.agent && { ...bench.agent, owner: undefined } }
      return original.canVote(principal, declaration, votes, withoutOwner, verdict)
    },
  })),
  defect('an editor votes on what they edited (I11, I12)', 'declare', (original) => ({
    chainAfter: (state, facts) => ({ ...original.chainAfter(state, facts), editors: [] }),
  })),
  defect('a pending intent never expires (I7)', 'lifecycle', (original) => ({
    clock: (state, now) =>
      state.status === 'pending' ? { state, events: [], permits: [] } : original.clock(state, now),
    transition(state, command, now) {
      const at = state?.status === 'pending' ? Math.min(now, state.declaration.expiresAt - 1) : now
      return original.transition(state, command, at)
    },
  })),
  defect('the quorum of the current policy is not asked for (I9, E8)', 'judgement', (original) => ({
    judge(...args) {
      const judged = original.judge(...args)
      const [declaration] = args
      const pinned = declaration.verdict === 'require_approval' ? judged.bench.rules.slice(0, 1) : judged.bench.rules
      return { ...judged, bench: { ...judged.bench, rules: pinned } }
    },
  })),
  defect('a claim looks before it locks (E1, E3)', 'engine', (original) => ({
    engine: (options) => original.engine({ ...options, store: lookingFirst(options.store) }),
  })),
  defect('the leaf and the outbox are written in a transaction of their own', 'engine', (original) => ({
    engine: (options) => original.engine({ ...options, store: splitStore(options.store) }),
  })),
  defect('a repeated claim mints another permit (E2)', 'claim', (original) => ({
    claimExecution(state, command, now) {
      const { holder } = state.execution
      const repeated =
        state.execution.state === 'started' &&
        holder?.executionId === command.attempt.executionId &&
        holder.attemptId === command.attempt.attemptId
      return original.claimExecution(repeated ? withExecution(state, 'none') : state, command, now)
    },
  })),
  defect('a second attempt is granted while the first one runs (E3)', 'execution', (original) => ({
    isHolder: (state, attempt) =>
      state.execution.state === 'started' && state.execution.holder?.executionId === attempt.executionId
        ? true
        : original.isHolder(state, attempt),
  })),
  defect('an execution is never given up (E4)', 'execution', (original) => ({
    executionClock: (state, now) =>
      state.execution.state === 'started' ? { state, events: [], permits: [] } : original.executionClock(state, now),
  })),
  defect('a continuation is not counted (E5)', 'report', (original) => ({
    reportExecution(state, command, now) {
      const done = original.reportExecution(state, command, now)
      const { continuations } = state.execution
      return { ...done, state: { ...done.state, execution: { ...done.state.execution, continuations } } }
    },
  })),
  defect('a late "suspended" is accepted (E5, E9)', 'report', (original) => ({
    reportExecution(state, command, now) {
      const late = state.execution.state === 'unknown' && command.outcome.status === 'suspended'
      return original.reportExecution(late ? withExecution(state, 'started') : state, command, now)
    },
  })),
  defect('a continuation takes any count (E6)', 'claim', (original) => ({
    claimExecution(state, command, now) {
      const attempt = { ...command.attempt, continues: state.execution.continuations }
      return original.claimExecution(state, { ...command, attempt }, now)
    },
  })),
  defect('a continuation moves use_until (P1)', 'claim', (original) => ({
    claimExecution(state, command, now) {
      const done = original.claimExecution(state, command, now)
      const continued = state.execution.state === 'suspended' && done.claim?.type === 'granted'
      const useUntil = now + state.declaration.executionWindowSeconds * 1000
      return continued ? { ...done, state: { ...done.state, useUntil } } : done
    },
  })),
  defect('a permit outlives its window (P1)', 'state', (original) => ({
    mint(id, ttlSeconds, _useUntil, now) {
      return original.mint(id, ttlSeconds, Number.MAX_SAFE_INTEGER, now)
    },
  })),
  defect('a suspended execution keeps its permit (E5, P4)', 'report', (original) => ({
    reportExecution(state, command, now) {
      const done = original.reportExecution(state, command, now)
      const { permits } = state
      return command.outcome.status === 'suspended' ? { ...done, state: { ...done.state, permits } } : done
    },
  })),
  defect('an agent that is paused goes on (I10, E8)', 'state', () => ({
    requireRunningAgent() {},
  })),
  defect('votes of people who have left count at the claim (E8)', 'claim', (original) => ({
    claimExecution(state, command, now) {
      const { bench } = command.judgement
      const people = bench.directory.people.map((person) => ({ ...person, status: 'active' as const }))
      const before = { ...bench, directory: { ...bench.directory, people } }
      return original.claimExecution(state, { ...command, judgement: { ...command.judgement, bench: before } }, now)
    },
  })),
  defect('cancelling a token that was handed out gives abandoned (E14)', 'execution', (original) => ({
    cancelExecution: (state, now) =>
      state.execution.state === 'delivered'
        ? original.close(state, 'abandoned', now)
        : original.cancelExecution(state, now),
  })),
  defect('cancelling a suspended execution gives abandoned (E14)', 'execution', (original) => ({
    cancelExecution: (state, now) =>
      state.execution.state === 'suspended'
        ? original.close(state, 'abandoned', now)
        : original.cancelExecution(state, now),
  })),
  defect('what was withdrawn is continued (E15)', 'claim', (original) => ({
    claimExecution(state, command, now) {
      const { withdrawnAt: _, ...execution } = state.execution
      return original.claimExecution({ ...state, execution }, command, now)
    },
  })),
  defect('a person reconciles while the permit can be used (E17)', 'oversight', (original) => ({
    reconcileExecution(state, command, now) {
      const over = { ...state, permits: state.permits.map((permit) => ({ ...permit, exp: 0 })) }
      const done = original.reconcileExecution(over, command, now)
      return { ...done, state: { ...done.state, permits: state.permits } }
    },
  })),
  defect("the agent's report outranks the verifier's (E19)", 'report', (original) => ({
    finish(state, by, outcome, now) {
      const done = original.finish(state, by, outcome, now)
      return { ...done, state: withExecution(done.state, outcome.status) }
    },
    reportExecution(state, command, now) {
      const done = original.reportExecution(state, command, now)
      const { status } = command.outcome
      const final = status === 'succeeded' || status === 'failed'
      return final ? { ...done, state: withExecution(done.state, status) } : done
    },
  })),
  defect('single use is keyed on the jti (E18, P3)', 'redemption', (original) => ({
    redeemApproval(state, command, now) {
      const others = state.redemptions.filter(({ permitId }) => permitId !== command.permitId)
      const mine = state.redemptions.filter(({ permitId }) => permitId === command.permitId)
      const done = original.redeemApproval({ ...state, redemptions: mine }, command, now)
      const added = done.state.redemptions.slice(mine.length)
      // The store has a constraint of its own, which takes one first use: this is not to be found by it.
      const redemptions = [...others, ...mine, ...added.map((each) => ({ ...each, replayed: others.length > 0 }))]
      return { ...done, state: { ...done.state, redemptions } }
    },
  })),
  defect('a permit is redeemed after the execution failed (E18)', 'redemption', (original) => ({
    redeemApproval(state, command, now) {
      if (state.execution.state !== 'failed') return original.redeemApproval(state, command, now)
      const live = {
        ...withExecution(state, 'started'),
        permits: state.permits.map((each) => ({ ...each, revokedAt: undefined })),
      }
      const done = original.redeemApproval(live, command, now)
      return { ...done, state: { ...state, redemptions: done.state.redemptions } }
    },
  })),
  defect('a pending intent survives a restore (R2)', 'restored-intent', (original) => ({
    restoreIntent: (state, now) =>
      state.status === 'pending' ? { state, events: [], permits: [] } : original.restoreIntent(state, now),
  })),
  defect('after a restore policy alone approves (R2)', 'judgement', () => ({
    isCautious: () => false,
  })),
  defect('an agent supersedes what it has begun (I13)', 'lifecycle', (original) => ({
    transition(state, command, now) {
      const begun = command.type === 'supersede' && state?.status === 'approved'
      return original.transition(begun ? withExecution(state, 'none') : state, command, now)
    },
  })),
]

/** What the modules of a test build ask for. */
export function replacementsOf(name: string, original: Modules[keyof Modules]): object {
  const found = DEFECTS.find((each) => each.name === name)
  if (!found) throw new TypeError(`no such defect: ${name}`)
  return found.replace(original)
}

function defect<Name extends keyof Modules>(
  name: string,
  module: Name,
  replace: (original: Modules[Name]) => Partial<Modules[Name]>,
): Defect {
  return { name, module, replace: (original) => replace(original as Modules[Name]) }
}

function withExecution(state: State, to: Transition['state']['execution']['state']): State {
  return { ...state, execution: { ...state.execution, state: to } }
}

/** Reads the intent in a transaction of its own, and decides by that. */
function lookingFirst(store: Store): Store {
  return new Proxy(store, {
    get(own, name) {
      if (name === 'transaction') return (work: Work<unknown>) => lookedFirst(own, work)
      const member: unknown = Reflect.get(own, name)
      return typeof member === 'function' ? member.bind(own) : member
    },
  })
}

type Work<Result> = (tx: StoreTransaction) => Promise<Result>
const LOOKED = Symbol('looked')

async function lookedFirst<Result>(store: Store, work: Work<Result>): Promise<Result> {
  const seen = new Map<string, State | undefined>()
  const look = store.transaction(async (tx) => {
    const reading: StoreTransaction = {
      ...tx,
      async lockIntent(id) {
        seen.set(id, await tx.lockIntent(id))
        return seen.get(id)
      },
    }
    await work(reading)
    throw LOOKED
  })
  await look.catch((error: unknown) => {
    if (error !== LOOKED) throw error
  })
  return store.transaction((tx) =>
    work({
      ...tx,
      async lockIntent(id) {
        const now = await tx.lockIntent(id)
        return seen.has(id) ? seen.get(id) : now
      },
    }),
  )
}
