import { describeAdapter } from '@silentauth/core/contracts'
import { testGate } from '@silentauth/core/testing'
import { DIFFERENCES_SUSPENDED } from './differences.ts'
import { suspendDriver } from './suspend-driver.ts'

describeAdapter('OpenAI Agents SDK, suspend', suspendDriver, { gate: testGate, differences: DIFFERENCES_SUSPENDED })
