/**
 * Contract suites, for those who implement one of our interfaces: what every implementation must do, as tests. They need
 * vitest.
 *
 * @module
 */
export { type DescribeAdapterOptions, describeAdapter } from './contracts/adapter.js'
export { inTime } from './contracts/adapter-agent.js'
export type {
  AdapterDriver,
  AdapterOptions,
  AgentCall,
  AgentEnd,
  AgentRun,
  AgentTool,
  AgentTurn,
  Observed,
  SuspendDriver,
  SuspendedAct,
  SuspendedRun,
  ToolHands,
} from './contracts/adapter-driver.js'
export { type AdapterColumn, adapterMatrix, adapterTables } from './contracts/adapter-matrix.js'
export type { AdapterMode, Deviation, Differences, Expected, Scenario } from './contracts/adapter-scenario.js'
export { ADAPTER_SCENARIOS } from './contracts/adapter-scenarios.js'
export { reachableText } from './contracts/adapter-secrets.js'
export type { Decide, GateHooks, GateOnStage, Stage } from './contracts/adapter-stage.js'
export { type DescribeGateOptions, describeGate } from './contracts/gate.js'
export type { GateCounter, GateDesk, GateHarness } from './contracts/gate-harness.js'
export { type DescribeStoreOptions, describeStore } from './contracts/store.js'
export { type GateUnderTest, testGateHarness } from './contracts/test-gate-harness.js'
