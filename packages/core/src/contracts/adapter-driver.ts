/**
 * An adapter driver runs a scripted agent on one framework with gated tools, and says what came of it. The suite knows no
 * framework; a driver knows nothing of gates but how its adapter gates a tool.
 *
 * @module
 */
import type { ZodObject } from 'zod'
import type { Gate, GateEvent } from '../gate.js'
import type { JsonObject } from '../json.js'

export interface AdapterDriver {
  /** Runs one agent to its end. Never rejects for what the agent's caller is to see: that is `error`. */
  run(run: AgentRun): Promise<AgentEnd>
}

export interface AgentRun {
  readonly gate: Gate
  readonly tools: readonly AgentTool[]
  /** What the model says, one turn per request. */
  readonly turns: readonly AgentTurn[]
  /** Of the conversation. Runs of one thread are still different runs. */
  readonly thread: string
  /** For every gated tool; spelled the same in all adapters. */
  readonly options: AdapterOptions
  /** The model's answers and the run's events are streamed. */
  readonly streaming: boolean
  readonly signal: AbortSignal
  /**
   * The framework makes each gated call again, once per entry, whatever came of it: the same call, or with these arguments
   * in its place. Retry layers and replayed histories do. The model sees the last answer.
   */
  readonly repeats: readonly ('unchanged' | JsonObject)[]
}

export interface AdapterOptions {
  readonly timeoutMs?: number
  readonly allowEdits?: boolean
  readonly idempotent?: boolean
  readonly onEvent: (event: GateEvent) => void
}

export interface AgentTool {
  readonly name: string
  readonly gated: boolean
  readonly schema: ZodObject
  /** `generator`: reports progress once, then executes. `artifact`: gives its result beside something that no model sees. */
  readonly kind: 'plain' | 'generator' | 'artifact'
  /** `call`: of another tool, in the way of the framework; gives its result as text. */
  execute(args: JsonObject, call: (tool: string, args: JsonObject) => Promise<string>): Promise<string>
}

export interface AgentTurn {
  readonly text?: string
  readonly calls?: readonly AgentCall[]
}
export interface AgentCall {
  readonly id: string
  readonly name: string
  /** A text is sent as it is: it need not be JSON. */
  readonly args: JsonObject | string
}

/** How a run ended. */
export interface AgentEnd {
  /** The results of its calls as the model saw them, in the order of the calls. */
  readonly toolResults: readonly string[]
  /** The model's last text; undefined when there was none. */
  readonly answer: string | undefined
  /** What the caller saw thrown. */
  readonly error: unknown
  /** Everything that a model, a trace, a stream, a checkpoint or a log saw, as one text: it is searched for permits. */
  readonly observed: string
}
