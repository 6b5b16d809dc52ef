/**
 * One test of the contract of gates: what it needs of the harness, and what must hold.
 *
 * @module
 */
import type { GateHarness } from './gate-harness.js'

export interface GateTest {
  readonly name: string
  /** Needs a clock that can be moved. */
  readonly clock?: true
  run(harness: GateHarness & { advance(ms: number): void | Promise<void> }): Promise<void>
}
