/**
 * A gate over a store of its own, for the contract of gates.
 *
 * @module
 */
import type { Store } from '@silentauth/core'
import { type GateHarness, testGateHarness } from '@silentauth/core/contracts'
import { type FakeClock, testGate } from '@silentauth/core/testing'

export async function gateHarness(clock: FakeClock, store: Store): Promise<GateHarness> {
  const harness = await testGateHarness(await testGate({ clock, store }))
  return {
    ...harness,
    async [Symbol.asyncDispose]() {
      await harness[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}
