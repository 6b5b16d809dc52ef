import { describeAdapter } from '@silentauth/core/contracts'
import { testGate } from '@silentauth/core/testing'
import { DIFFERENCES } from './differences.ts'
import { holdDriver } from './hold-driver.ts'

describeAdapter('LangChain.js, hold', holdDriver, { gate: testGate, differences: DIFFERENCES })
