/**
 * A fault suite at the size of CI, as a test.
 *
 * @module
 */
import { expect, it } from 'vitest'
import { demandOf, holds, type Suite, sizeFrom } from './suite.ts'

/** Against what hangs: a suite says itself how long it goes on. */
const TIMEOUT_MS = 900_000

export function itHolds(suite: Suite): void {
  const size = { ...sizeFrom(process.env), full: false }
  it(`${suite.name} (FAULTS_SEED=${size.seed})`, { timeout: TIMEOUT_MS }, async () => {
    const counters = await suite.run(size)
    expect(counters).not.toHaveLength(0)
    const off = counters.filter((counter) => !holds(counter))
    expect(off.map((counter) => `${counter.name} is ${counter.value}, ${demandOf(counter)}`)).toEqual([])
  })
}
