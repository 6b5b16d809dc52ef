import { describeAdapter } from '@silentauth/core/contracts'
import { testGate } from '@silentauth/core/testing'
import { DIFFERENCES_SUSPENDED } from './differences.ts'
import { SDKS } from './sdk.ts'
import { suspendDriver } from './suspend-driver.ts'

for (const sdk of SDKS) {
  describeAdapter(`${sdk.name}, suspend`, suspendDriver(sdk), { gate: testGate, differences: DIFFERENCES_SUSPENDED })
}
