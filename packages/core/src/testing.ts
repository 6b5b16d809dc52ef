/**
 * For users' own tests: gates that decide by themselves, a fake clock, and a whole gate over memory.
 *
 * @module
 */
export { type FakeClock, fakeClock } from './testing/fake-clock.js'
export {
  approvingGate,
  denyingGate,
  type ScriptedDecision,
  type ScriptedGate,
  scriptedGate,
} from './testing/scripted-gate.js'
export { principalOf, type TestGate, type TestGateOptions, testGate } from './testing/test-gate.js'
