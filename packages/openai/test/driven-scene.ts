/**
 * An agent that is driven by `runWithGate`, from its first run over its envelope to its end.
 *
 * @module
 */
import type { Agent } from '@openai/agents'
import type { Gate } from '@silentauth/core'
import { type RunWithGateOptions, runWithGate, type SuspendedRun } from '@silentauth/openai/agents'

/** @param agent makes a fresh one each time, as another process would */
export function drivenScene(agent: () => Agent, gate: Gate) {
  const envelopeKeys = [crypto.getRandomValues(new Uint8Array(32))]
  const go = (input: string | SuspendedRun, more: Partial<RunWithGateOptions> = {}) =>
    runWithGate(agent(), input, { gate, envelopeKeys, ...more })
  return {
    go,
    /** As it was kept. @throws TypeError when the run did not wait */
    async suspended(): Promise<SuspendedRun> {
      const outcome = await go('hi')
      if (outcome.status !== 'suspended') throw new TypeError('it did not wait')
      return JSON.parse(JSON.stringify(outcome.suspended))
    },
    envelopeKeys,
  }
}
