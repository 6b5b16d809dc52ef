/**
 * A gated call: asked of the gate, waited for, and run with its permit, or answered with what the gate said. This
 * translates; what is asked, decided and proved is core's.
 *
 * @module
 */
import {
  type AskedCall,
  answerBegun,
  answerCall,
  type Begun,
  bindArguments,
  type Edits,
  type Execution,
  type GateCall,
  type GatedToolOptions,
  hold,
  type Json,
  type JsonObject,
  type NotExecuted,
  type Parse,
  type Running,
  refusalAnswer,
  snapshot,
} from '@silentauth/core'

/** One call on its way, with its arguments parsed. */
export interface AskedTool<Info> {
  /** `callKey(…)`. */
  readonly key: string
  /** As the model gave them. */
  readonly raw: unknown
  /** As the tool's schema parsed them. */
  readonly parsed: unknown
  readonly parse: Parse
  readonly info: Info
  /** `knownContext(…)`. */
  readonly known: JsonObject
  readonly edits: Edits
  readonly continues?: GateCall['continues']
}

export function askedCall<Info>(call: AskedTool<Info>): AskedCall<unknown, Info> {
  const { key, raw, parsed, parse, info, known, edits, continues } = call
  return { key: () => key, args: parsed, bind: () => bindArguments(raw, parsed, parse), info, known, edits, continues }
}

/** How a granted call is run. */
export interface GrantedRun {
  readonly options: GatedToolOptions<never, never>
  readonly signal: AbortSignal | undefined
  /** Gives a refusal the form of this tool's output. @default the text for the model */
  readonly shape?: ((text: string) => unknown) | undefined
  /** Throws `ToolFailure` for a failure that its framework has already made an output of. */
  run(args: unknown, execution: Execution): unknown
}

/** A failure of the tool that its framework has put into words for the model. */
export class ToolFailure extends Error {
  readonly output: unknown
  /** Nobody knows whether it goes on: nothing is reported, and a person looks. */
  readonly letGo: boolean
  constructor(output: unknown, letGo: boolean) {
    super('the tool failed')
    this.output = output
    this.letGo = letGo
  }
}

/** Runs what was granted, or answers with what the gate said. @throws by the options; what the tool throws; the signal's reason */
export async function answerOf(
  begun: Begun,
  granted: GrantedRun & Pick<Running, 'toolName' | 'bound'>,
): Promise<unknown> {
  const { toolName, bound, options, shape } = granted
  return watched(granted, async (running) => {
    const answer = await answerBegun(begun, { toolName, bound, ...running })
    return answer.type === 'output' ? answer.output : refused(answer.refusal, options, shape)
  })
}

/** What the framework of a tool has made an output of is one, and is reported as the failure that it is. */
async function watched(
  granted: GrantedRun,
  answer: (running: Omit<Running, 'toolName' | 'bound'>) => Promise<unknown>,
): Promise<unknown> {
  const { options, signal } = granted
  const leaving = new AbortController()
  try {
    return await answer({
      signal: signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal,
      async run(args, execution) {
        try {
          return await granted.run(args, execution)
        } catch (error) {
          if (error instanceof ToolFailure && error.letGo) leaving.abort(error)
          throw error
        }
      },
      finish: (output, { edited, intent }) => (edited ? withEditNotice(output, intent.params) : output),
      record: options.recordResult ? (output) => output as Json : undefined,
      isPause: () => false,
    })
  } catch (error) {
    if (error instanceof ToolFailure) return error.output
    throw error
  }
}

/** Nothing ran now: the model is told, or the caller gets the error. */
export function refused(
  refusal: NotExecuted,
  options: GatedToolOptions<never, never>,
  shape: (text: string) => unknown = (text) => text,
): unknown {
  const answer = refusalAnswer(refusal, options)
  switch (answer.type) {
    case 'thrown':
      throw answer.error
    case 'recorded':
      return answer.result
    case 'told':
      return shape(answer.refusal.text)
  }
}

/**
 * Says in front of a text that an approver changed the arguments, for a model that would otherwise see a result that its
 * own call cannot have.
 */
export function withEditNotice(output: unknown, params: JsonObject): unknown {
  const notice = `[A reviewer changed the arguments; this ran with ${snapshot(params).canonical}]`
  return typeof output === 'string' ? `${notice}\n${output}` : output
}

export interface HeldCall<Info> extends AskedTool<Info>, Omit<GrantedRun, 'options'> {
  readonly toolName: string
  readonly options: GatedToolOptions<unknown, Info>
  /** Of a call that `when` lets through without the gate. */
  passed(): unknown
}

/** One call that a process waits for: asked, waited for, run. @throws as `answerOf` */
export async function heldCall<Info>(call: HeldCall<Info>): Promise<unknown> {
  const { toolName, options, signal, shape } = call
  const { gate, timeoutMs, onEvent } = options
  return watched(call, async (running) => {
    const begin = (asked: GateCall) => hold(gate, asked, { signal, timeoutMs, onEvent })
    const answer = await answerCall(toolName, options, { ...askedCall(call), ...running, begin })
    switch (answer.type) {
      case 'passed':
        return call.passed()
      case 'output':
        return answer.output
      case 'refused':
        return refused(answer.refusal, options, shape)
    }
  })
}
