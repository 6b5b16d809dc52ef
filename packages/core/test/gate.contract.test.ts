import { describeGate } from '../src/contracts.js'
import { testGate } from '../src/testing.js'

describeGate('localGate', async () => {
  const test = await testGate()
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
    advance: (ms) => test.clock.advance(ms),
    now: () => test.clock.now(),
    sweep: () => test.local.sweep(),
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  }
})
