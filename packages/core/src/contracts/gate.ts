/**
 * The contract of gates: what a gate answers to those who ask, whether it is in this process or behind HTTP. One suite
 * holds `localGate` and the SDK over a real server to the same behaviour.
 *
 * @module
 */
import { describe, it, type TestContext } from 'vitest'
import { ASKING_TESTS } from './gate-asking.js'
import { CLAIM_TESTS } from './gate-claims.js'
import { DECISION_TESTS } from './gate-decisions.js'
import { DELEGATION_TESTS } from './gate-delegations.js'
import { DENIAL_TESTS } from './gate-denials.js'
import { EXECUTION_TESTS } from './gate-executions.js'
import { GUARD_TESTS } from './gate-guard.js'
import type { GateHarness } from './gate-harness.js'
import { KILL_SWITCH_TESTS } from './gate-kill-switch.js'
import { PERMIT_TESTS } from './gate-permits.js'
import type { GateTest } from './gate-test.js'

export interface DescribeGateOptions {
  /** Name of a test → why this gate cannot do it. */
  readonly skip?: Readonly<Record<string, string>> | undefined
}

export function describeGate(
  name: string,
  makeHarness: () => Promise<GateHarness>,
  { skip = {} }: DescribeGateOptions = {},
): void {
  const unknown = Object.keys(skip).filter((skipped) => !GATE_TESTS.some((test) => test.name === skipped))
  if (unknown.length > 0) throw new TypeError(`no test of the contract is called ${unknown.join(', ')}`)

  describe(name, () => {
    for (const { name: title, clock, run } of GATE_TESTS) {
      const reason = skip[title]
      if (reason !== undefined) it.skip(`${title} (${reason})`)
      else {
        it(title, async (context: TestContext) => {
          await using harness = await makeHarness()
          const { advance } = harness
          if (clock && advance === undefined) context.skip('the clock of this gate cannot be moved')
          await run({ ...harnessOf(harness), advance: advance ?? NOT_MOVABLE })
        })
      }
    }
  })
}

/** Spread by hand: a harness may have its members on a prototype. */
function harnessOf(harness: GateHarness): GateHarness {
  return {
    gate: harness.gate,
    otherGate: harness.otherGate,
    desk: harness.desk,
    counter: harness.counter,
    approver: harness.approver,
    secondApprover: harness.secondApprover,
    person: (details) => harness.person(details),
    change: (person, details) => harness.change(person, details),
    setPolicies: (policies) => harness.setPolicies(policies),
    setAgentStatus: (status) => harness.setAgentStatus(status),
    setAgentOwner: (owner) => harness.setAgentOwner(owner),
    now: () => harness.now(),
    sweep: () => harness.sweep(),
    [Symbol.asyncDispose]: () => harness[Symbol.asyncDispose](),
  }
}

const NOT_MOVABLE = (): never => {
  throw new TypeError('this gate has no clock that can be moved')
}

const GATE_TESTS: readonly GateTest[] = [
  ...DECISION_TESTS,
  ...DENIAL_TESTS,
  ...DELEGATION_TESTS,
  ...KILL_SWITCH_TESTS,
  ...EXECUTION_TESTS,
  ...PERMIT_TESTS,
  ...ASKING_TESTS,
  ...CLAIM_TESTS,
  ...GUARD_TESTS,
]
