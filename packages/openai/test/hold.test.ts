import { describeAdapter } from '@silentauth/core/contracts'
import { testGate } from '@silentauth/core/testing'
import { holdDriver } from './hold-driver.ts'
import { SKIPPED } from './skipped.ts'

describeAdapter('OpenAI Agents SDK, hold', holdDriver, { gate: testGate, skip: SKIPPED })
