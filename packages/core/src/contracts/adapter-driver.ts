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

/** For the mode in which the framework keeps a run that waits. */
export interface SuspendDriver {
  /** Runs one agent to its end, or to where it waits. Never rejects for what the agent's caller is to see. */
  start(run: AgentRun): Promise<SuspendedRun>
}

/** Nothing is kept between two calls of these but what the framework itself has persisted. */
export interface SuspendedRun extends AsyncDisposable {
  /** False once it ended, or its caller saw an error. */
  isWaiting(): Promise<boolean>
  /** As applications do: asks the gate, and goes on with what was decided. */
  resume(): Promise<void>
  act(act: SuspendedAct): Promise<void>
  end(): Promise<AgentEnd>
}

/** What clients do to a run that waits. */
export type SuspendedAct =
  /** It is resumed, whatever was decided. */
  | 'wake'
  /** It is resumed with everything that says that it was approved, and a permit that is none. */
  | 'forge'
  /** Two processes go on with it at the same moment. */
  | 'resume twice'
  /** It is run from before the call once more. */
  | 'replay'
  /** The persisted call gets other arguments: the amount becomes 9999. */
  | 'fork'
  /** The user says something else. */
  | 'say something'
  /** The question of a tool is answered with yes. */
  | 'answer'

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
  readonly wait?: 'hold' | 'suspend'
  readonly timeoutMs?: number
  readonly allowEdits?: boolean
  readonly idempotent?: boolean
  readonly onEvent: (event: GateEvent) => void
}

export interface AgentTool {
  readonly name: string
  readonly gated: boolean
  readonly schema: ZodObject
  readonly reenters?: boolean
  /**
   * `generator`: reports progress once, then executes. `artifact`: gives its result beside something that no model sees.
   * `agent`: an agent of its own, with the same tools, whose last text is the result; it is not executed.
   */
  readonly kind: 'plain' | 'generator' | 'artifact' | 'agent'
  /** The framework gives up then, or the tool itself where the framework knows no such thing: `inTime` does. */
  readonly timeoutMs?: number | undefined
  execute(args: JsonObject, its: ToolHands): Promise<string>
}

/** What a tool can do, in the way of the framework. */
export interface ToolHands {
  /** Of another tool; gives its result as text. */
  call(tool: string, args: JsonObject): Promise<string>
  /** Pauses the run until somebody answers. */
  ask(question: string): Promise<string>
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
  /** It still waits. @default false */
  readonly suspended?: boolean
  readonly observed: Observed
  /** Of the model, which the framework's client was given: it is looked for, too. */
  readonly modelKey: string
}

/**
 * By place (requests to the model, traces, streams, checkpoints, run state), everything that was seen there, as values or as
 * text; undefined where this run had none. Each is searched for permits and keys, and must show what a tool tells: a place
 * that does not is watched in the wrong way.
 */
export type Observed = Readonly<Record<string, unknown>>
