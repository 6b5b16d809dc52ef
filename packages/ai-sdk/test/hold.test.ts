import { describeAdapter } from '@silentauth/core/contracts'
import { testGate } from '@silentauth/core/testing'
import { holdDriver } from './hold-driver.ts'
import { SDKS } from './sdk.ts'

for (const sdk of SDKS) describeAdapter(`${sdk.name}, hold`, holdDriver(sdk), { gate: testGate })
