import { describeAdapter } from '@silentauth/core/contracts'
import { testGate } from '@silentauth/core/testing'
import { SKIPPED_SUSPENDED } from './skipped.ts'
import { suspendDriver } from './suspend-driver.ts'

describeAdapter('OpenAI Agents SDK, suspend', suspendDriver, { gate: testGate, skip: SKIPPED_SUSPENDED })
