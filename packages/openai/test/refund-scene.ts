/**
 * A scene for gated tools of the Agents SDK: a model that asks for refunds and then is done, a tool that notes what it is
 * called with and which permit it has, and an agent that is made anew for each run.
 *
 * @module
 */
import { Agent, type AgentConfiguration, run, type ToolOptions, tool } from '@openai/agents'
import { assistantMessage, functionCall, ScriptedModel } from '@openai/agents/testing'
import type { Gate } from '@silentauth/core'
import {
  currentPermit,
  type GateToolOptions,
  gateTool,
  type RunWithGateOptions,
  runWithGate,
  type SuspendedRun,
} from '@silentauth/openai/agents'
import { vi } from 'vitest'
import { z } from 'zod'

export const aKey = () => crypto.getRandomValues(new Uint8Array(32))
export const call = (amount: unknown = 250, callId = 'c1') =>
  functionCall('issue_refund', { amount } as never, { callId })

const parameters = z.object({ amount: z.number() })

export interface Staged {
  /** Of the gated tool; `gate` is given. */
  readonly options?: Partial<GateToolOptions<never>>
  readonly calls?: readonly ReturnType<typeof functionCall>[]
  /** Further fields of the tool. */
  readonly fields?: Partial<ToolOptions<typeof parameters, unknown>>
  readonly agent?: Partial<AgentConfiguration<unknown, 'text'>>
  execute?(amount: number, permitted: unknown): unknown
}

export function refundScene(gate: Gate, { options, calls = [call()], fields, agent: of, ...staged }: Staged = {}) {
  const end = () => [assistantMessage('done')]
  const model = new ScriptedModel([[...calls], end(), end(), end()])
  const execute = vi.fn(staged.execute ?? ((amount: number, _permitted: unknown): unknown => `refunded ${amount}`))
  const refund = () =>
    tool({
      name: 'issue_refund',
      description: 'pays money back',
      parameters,
      execute: ({ amount }: { amount: number }) => execute(amount, currentPermit({ action: 'issue_refund' })?.params),
      ...fields,
    } as never)
  const agent = () =>
    new Agent({ name: 'refunds', model, tools: [gateTool(refund(), { gate, ...options } as never)], ...of } as never)
  const keys = [aKey()]
  /** Held: one run, whose result is given. Suspended: until it ends, in this process. */
  const play = async (more: Partial<RunWithGateOptions> = {}): Promise<unknown> => {
    if (options?.wait !== 'suspend') return (await run(agent(), 'hi', (more.run ?? {}) as never)).finalOutput
    const outcome = await go('hi', { onPending: 'wait', ...more })
    return outcome.status === 'completed' ? outcome.result.finalOutput : outcome
  }
  const go = (input: string | SuspendedRun, more: Partial<RunWithGateOptions> = {}) =>
    runWithGate(agent(), input, { gate, envelopeKeys: keys, ...more })
  const suspended = async (more: Partial<RunWithGateOptions> = {}): Promise<SuspendedRun> => {
    const outcome = await go('hi', more)
    if (outcome.status !== 'suspended') throw new TypeError('it did not wait')
    return JSON.parse(JSON.stringify(outcome.suspended))
  }
  /** What the model read of its calls. */
  const results = (): (string | undefined)[] =>
    ((model.lastCall?.request.input ?? []) as { type: string; output?: { text: string } }[])
      .filter(({ type }) => type === 'function_call_result')
      .map(({ output }) => output?.text)
  return { agent, model, execute, play, go, suspended, results }
}

/** The gate, but for what is given. */
export function gateWith(gate: Gate, changed: Partial<Gate>): Gate {
  const { declare, read, wait, cancel, claim, report, trust } = gate
  const dispose = () => gate[Symbol.asyncDispose]()
  return { declare, read, wait, cancel, claim, report, trust, [Symbol.asyncDispose]: dispose, ...changed }
}
