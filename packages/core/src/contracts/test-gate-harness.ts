/**
 * The harness of a gate in process, over whatever store the gate has.
 *
 * @module
 */
import type { Gate } from '../gate.js'
import type { EpochMs, JsonObject } from '../json.js'
import type { LocalGate } from '../local-gate.js'
import type { Agent, KeyPrincipal, Person, Principal, ProjectKey } from '../registry.js'
import type { GateHarness } from './gate-harness.js'

/** The `testGate` of `@silentauth/core/testing`, as far as the harness needs it. */
export interface GateUnderTest extends AsyncDisposable {
  readonly local: LocalGate
  readonly clock: { now(): EpochMs; advance(ms: number): void }
  readonly approver: Principal
  person(details?: Partial<Omit<Person, 'projectId'>>): Promise<Principal>
  change(person: Principal, details: Partial<Omit<Person, 'id' | 'projectId'>>): Promise<void>
  agent(details?: Partial<Agent>): Promise<Agent>
  addKey(details?: Partial<ProjectKey>): Promise<{ gate: Gate; principal: KeyPrincipal }>
  policies(policies: readonly JsonObject[]): Promise<void>
}

/** Disposing it disposes the gate, and not a store that the gate was given. */
export async function testGateHarness(test: GateUnderTest): Promise<GateHarness> {
  let agent = await test.agent()
  const { gate } = await test.addKey({ agents: [agent.id] })
  const other = await test.addKey()
  const verifier = await test.addKey({ kind: 'verifier' })
  const { counter, desk } = test.local
  return {
    gate,
    otherGate: other.gate,
    desk,
    counter: {
      verify: (request) => counter.verify(verifier.principal, request),
      redeem: (request) => counter.redeem(verifier.principal, request),
      logExecution: (report) => counter.logExecution(verifier.principal, report),
    },
    approver: test.approver,
    secondApprover: await test.person({ email: 'second@example.com' }),
    person: (details) => test.person(details),
    change: (person, details) => test.change(person, details),
    setPolicies: (policies) => test.policies(policies),
    setAgentStatus: async (status) => {
      agent = await test.agent({ ...agent, status })
    },
    setAgentOwner: async (owner) => {
      agent = await test.agent({ ...agent, owner })
    },
    advance: (ms) => test.clock.advance(ms),
    now: () => test.clock.now(),
    sweep: () => test.local.sweep(),
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  }
}
