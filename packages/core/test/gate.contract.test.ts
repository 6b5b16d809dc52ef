import { describeGate, testGateHarness } from '../src/contracts.js'
import { testGate } from '../src/testing.js'

describeGate('localGate', async () => testGateHarness(await testGate()))
