/**
 * A gate over a store, for the contract of gates.
 *
 * @module
 */
import type { Store } from '@silentauth/core'
import type { GateHarness } from '@silentauth/core/contracts'
import { type FakeClock, testGate } from '@silentauth/core/testing'

export async function gateHarness(clock: FakeClock, store: Store): Promise<GateHarness> {
  const test = await testGate({ clock, store })
  const agent = await test.agent()
  const { gate } = await test.addKey({ agents: [agent.id] })
  const other = await test.addKey()
  return {
    gate,
    otherGate: other.gate,
    desk: test.local.desk,
    approver: test.approver,
    secondApprover: await test.person({ email: 'second@example.com' }),
    person: (details) => test.person(details),
    setPolicies: (policies) => test.policies(policies),
    setAgentStatus: async (status) => {
      await test.agent({ ...agent, status })
    },
    advance: (ms) => clock.advance(ms),
    now: () => clock.now(),
    sweep: () => test.local.sweep(),
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}
