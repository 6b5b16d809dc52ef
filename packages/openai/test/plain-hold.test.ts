import { describeAdapter } from '@silentauth/core/contracts'
import { testGate } from '@silentauth/core/testing'
import { PLAIN_DIFFERENCES } from './differences.ts'
import { plainHoldDriver } from './plain-hold-driver.ts'

describeAdapter('openai client, hold', plainHoldDriver, { gate: testGate, differences: PLAIN_DIFFERENCES })
