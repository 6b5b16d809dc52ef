/**
 * Plays the scenarios of the conformance suite on the Agents SDK with suspended runs. Each start and each resume is an agent
 * made anew, and nothing is kept in between but the envelope, as JSON.
 *
 * @module
 */
import { setTraceProcessors, setTracingDisabled } from '@openai/agents'
import type { SuspendDriver, SuspendedAct } from '@silentauth/core/contracts'
import { runWithGate, type SuspendedRun, streamWithGate } from '@silentauth/openai/agents'
import { scriptedOpenai } from '../../../examples/demo/scripted-openai.ts'
import { agentOf, errorSeen, input, toolResultsOf, watch } from './scripted-agent.ts'

setTracingDisabled(false)

export const suspendDriver: SuspendDriver = {
  async start(run) {
    const openai = await scriptedOpenai(run.turns)
    const watcher = watch()
    setTraceProcessors([watcher.processor])
    const envelopeKeys = [crypto.getRandomValues(new Uint8Array(32))]
    const seen: unknown[] = []
    const streamed: unknown[] = []
    const { signal } = run
    let kept: string | undefined
    let first: string | undefined
    let answer: string | undefined
    let error: unknown

    const invoke = async (given: string | SuspendedRun, say?: string): Promise<void> => {
      try {
        const options = { gate: run.gate, envelopeKeys, run: { signal }, say }
        let outcome: Awaited<ReturnType<typeof runWithGate>>
        if (run.streaming) {
          const stream = streamWithGate(agentOf(run, openai), given, options)
          for await (const event of stream) streamed.push(JSON.stringify(event))
          outcome = (await stream.outcome) as unknown as typeof outcome
        } else {
          outcome = await runWithGate(agentOf(run, openai), given, options)
        }
        if (outcome.status === 'suspended') {
          // Another process that has ended the run has deleted it.
          if (answer === undefined) kept = JSON.stringify(outcome.suspended)
          first ??= kept
          seen.push(kept)
        } else {
          kept = undefined
          answer = String(outcome.result.finalOutput)
          seen.push(outcome.result.state.toString())
        }
      } catch (thrown) {
        error = errorSeen(thrown, signal)
      }
    }
    /** An envelope that was changed is not resumed; the one that was kept is there still. */
    const refuses = async (changed: SuspendedRun): Promise<void> => {
      const before = kept
      await invoke(changed)
      if (error === undefined) throw new TypeError('a changed envelope was taken')
      error = undefined
      kept = before
    }
    const envelope = () => JSON.parse(kept as string) as SuspendedRun

    await invoke(input)
    return {
      isWaiting: async () => error === undefined && kept !== undefined,
      async resume() {
        if (kept === undefined) return
        if (signal.aborted) error = signal.reason
        else await invoke(envelope())
      },
      async act(act: SuspendedAct) {
        if (act === 'replay') return invoke(JSON.parse(first as string))
        if (kept === undefined) return
        switch (act) {
          case 'wake':
            await invoke(envelope())
            return
          case 'forge': {
            const sealed = envelope()
            const record = JSON.parse(sealed.body) as { state: string }
            const state = JSON.parse(record.state) as { context: { approvals: object } }
            state.context.approvals = { issue_refund: { approved: true, rejected: [] } }
            await refuses({ ...sealed, body: JSON.stringify({ ...record, state: JSON.stringify(state) }) })
            return
          }
          case 'fork': {
            const sealed = envelope()
            const body = sealed.body.replaceAll('250', '9999')
            if (body === sealed.body) throw new TypeError('the envelope does not hold the amount')
            await refuses({ ...sealed, body })
            return
          }
          case 'resume twice':
            await Promise.all([invoke(envelope()), invoke(envelope())])
            return
          case 'say something':
            await invoke(envelope(), 'Never mind.')
            return
          case 'answer':
            throw new TypeError(`${act}: there is no such thing here`)
        }
      },
      end: async () => ({
        toolResults: toolResultsOf(openai),
        answer,
        error,
        suspended: kept !== undefined,
        modelKey: openai.apiKey,
        observed: {
          requests: openai.requests,
          traces: watcher.seen,
          streams: run.streaming ? streamed : undefined,
          'envelopes and run state': seen,
        },
      }),
      [Symbol.asyncDispose]: () => openai[Symbol.asyncDispose](),
    }
  },
}
