import { describeAdapter } from '@silentauth/core/contracts'
import { testGate } from '@silentauth/core/testing'
import { DIFFERENCES } from './differences.ts'
import { suspendDriver } from './suspend-driver.ts'

describeAdapter('LangGraph.js, suspend', suspendDriver, { gate: testGate, differences: DIFFERENCES })
