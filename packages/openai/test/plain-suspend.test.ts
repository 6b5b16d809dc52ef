import { describeAdapter } from '@silentauth/core/contracts'
import { testGate } from '@silentauth/core/testing'
import { PLAIN_DIFFERENCES_SUSPENDED } from './differences.ts'
import { plainSuspendDriver } from './plain-suspend-driver.ts'

describeAdapter('openai client, suspend', plainSuspendDriver, {
  gate: testGate,
  differences: PLAIN_DIFFERENCES_SUSPENDED,
})
