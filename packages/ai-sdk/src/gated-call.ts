/**
 * A gated call: asked of the gate, waited for, and run with its permit, or answered with what the gate said. This
 * translates; what is asked, decided and proved is core's.
 *
 * @module
 */
import {
  type AskedCall,
  actionName,
  answerCall,
  type Begun,
  type BoundCall,
  begin,
  bindCall,
  type GateCall,
  type GateEvent,
  type GateRefusal,
  gateRefusal,
  hold,
  type Intent,
  isSilentAuthError,
  type Json,
  type Look,
  look,
  type NotExecuted,
  needsGate,
  refusalAnswer,
  refusalCode,
  refusalError,
  refusalRoute,
  refusalText,
  SilentAuthError,
  supersede,
} from '@silentauth/core'
import { announce } from './announcement.js'
import { askedCalls, askName, refusedBefore, rememberRefused } from './asked-calls.js'
import type { GateToolOptions } from './gate-options.js'
import {
  callContext,
  type ExecuteOptions,
  type GateRun,
  type ModelSide,
  type ToolCall,
  toolCallOf,
} from './tool-call.js'
import { withEditNotice } from './tool-output.js'
import { bindInput, editSchemaOf, type HasSchema, parserOf } from './tool-schema.js'
import { type WaitingOutput, waitingOutput } from './waiting-steps.js'

/** What of a tool the gate needs. */
export interface GateableTool extends HasSchema {
  readonly outputSchema?: unknown
}

/** What the rest of the package knows about a call that options cannot say. */
export interface Surroundings {
  modelSide?(toolCallId: string): ModelSide | undefined
}

/** What a call came to: a generator that runs the tool in steps, or what the tool or the gate said. */
export type Answer =
  | { readonly type: 'steps'; readonly steps: AsyncGenerator }
  | { readonly type: 'output'; readonly output: unknown }

/** Runs the tool itself. A generator's last step is also what it returns. */
export type RunTool = (input: unknown) => AsyncGenerator | Promise<unknown>

type Show = (waiting: WaitingOutput) => void

/** Answers the calls of one tool. */
export interface Gatekeeper {
  readonly name: string
  readonly wait: 'hold' | 'suspend'
  /** Whether a held call shows its wait as steps. */
  readonly preliminary: boolean
  /** @param show is told what a held call waits for */
  execute(input: unknown, given: ExecuteOptions | undefined, run: RunTool, show?: Show): Promise<Answer>
  /**
   * Looks at a call that is not about to run: declares it where the model has just made it, and only reads it where a history
   * says so. Undefined: the call needs no gate.
   *
   * @throws SilentAuthError for a call that cannot be asked for; what a function of the options throws
   */
  look(input: unknown, given: ExecuteOptions): Promise<Look | undefined>
  /** The intent that was last asked for under this id of a call. */
  askedFor(run: GateRun, toolCallId: string): Intent | undefined
  /** Nobody waits for this call any more: cancels what can be, and says what is true of it then. Undefined: it needs no gate. */
  letGo(input: unknown, given: ExecuteOptions): Promise<GateRefusal | undefined>
  /** What becomes of a call that does not run. */
  routeOf(refusal: NotExecuted): 'message' | 'throw' | 'pending'
}

/** @throws TypeError for a name that makes no action */
export function gatekeeper(
  name: string,
  tool: GateableTool,
  options: GateToolOptions,
  { modelSide }: Surroundings = {},
): Gatekeeper {
  const { gate, wait = 'hold', timeoutMs } = options
  const parse = parserOf(tool)
  const asks = askedCalls()
  if (options.action === undefined) actionName(name)

  async function askedCall(input: unknown, call: ToolCall): Promise<AskedCall<unknown, ToolCall['info']>> {
    const { info, key } = call
    const side = info.toolCallId === undefined ? undefined : modelSide?.(info.toolCallId)
    return {
      key: () => key,
      args: input,
      bind: () => bindInput(input, parse),
      info,
      known: callContext({ info, side }, runOf(call)),
      edits: options.allowEdits ? { schema: await editSchemaOf(name, tool) } : false,
    }
  }

  /** Undefined: this call runs without the gate. */
  async function ask(input: unknown, call: ToolCall): Promise<BoundCall | undefined> {
    if (!(await needsGate(options, input, call.info))) return undefined
    return bindCall(name, options, await askedCall(input, call))
  }

  function runOf({ info }: ToolCall): GateRun | undefined {
    return typeof options.run === 'function' ? options.run(info) : options.run
  }

  function listenerOf({ info: { toolCallId } }: ToolCall, show?: Show): (event: GateEvent) => void {
    const { writer, onEvent } = options
    return (event) => {
      announce(event, { toolName: name, toolCallId, writer, onEvent })
      const waiting = waitingOutput(event)
      if (waiting) show?.(waiting)
    }
  }

  /** Waits where this process is to wait; else begins what was approved, and says of everything else that it is not. */
  async function beginOrWait(
    asked: GateCall,
    call: ToolCall,
    show: Show | undefined,
  ): Promise<Begun | Extract<Look, { type: 'pending' }>> {
    const { signal, messages } = call.info
    const onEvent = listenerOf(call, show)
    const held = () => hold(gate, asked, { signal, timeoutMs, onEvent })
    if (wait === 'hold' && !call.replayed) return held()
    // What was refused when it was asked for was never declared, so nothing would be found.
    const seen = refusedBefore(messages, asked.key) ?? (await look(gate, asked, { create: false, signal }))
    switch (seen.type) {
      case 'pending':
        return wait === 'hold' ? held() : seen
      case 'approved':
      case 'finished': {
        const { intent, edited } = seen
        const waited = edited || intent.decision === 'require_approval'
        if (waited && intent.execution.state === 'none') onEvent({ type: 'decided', intent })
        return begin(gate, asked, seen, { signal, onEvent })
      }
      case 'running':
      case 'refused':
        return seen
    }
  }

  function refuse(refusal: NotExecuted): Answer {
    const answer = refusalAnswer(refusal, options)
    switch (answer.type) {
      case 'thrown':
        throw refusalThrown(refusal)
      case 'recorded':
        return { type: 'output', output: answer.result }
      case 'told':
        // Where the output has a schema of its own, a refusal would be no output; the SDK tells the model of errors too.
        if (tool.outputSchema !== undefined) throw refusalThrown(refusal)
        return { type: 'output', output: answer.refusal }
    }
  }

  return {
    name,
    wait,
    preliminary: wait === 'hold' && options.preliminary === true,
    async execute(input, given, run, show) {
      const call = toolCallOf(name, given, options.run)
      const { signal } = call.info
      const answer = await answerCall(name, options, {
        ...(await askedCall(input, call)),
        signal,
        begin: (asked) => beginOrWait(asked, call, show),
        // In a box, so that nothing that a tool gives back is taken for a generator.
        run: (args) => boxed(run(args)),
        finish(output, { edited, intent }) {
          const value = unboxed(output)
          return edited ? withEditNotice(value, intent.params) : value
        },
        record: options.recordResult ? (output) => unboxed(output) as Json : undefined,
        // A tool of the AI SDK has no way to pause itself.
        isPause: () => false,
      })
      switch (answer.type) {
        case 'passed':
          return answerOf(run(input))
        case 'output':
          return isSteps(answer.output)
            ? { type: 'steps', steps: answer.output }
            : { type: 'output', output: answer.output }
        case 'refused':
          return refuse(answer.refusal)
      }
    },
    async look(input, given) {
      const call = toolCallOf(name, given, options.run)
      const ready = await ask(input, call)
      if (!ready) return undefined
      const seen = await look(gate, ready.asked, { create: !call.replayed, signal: call.info.signal })
      const onEvent = listenerOf(call)
      if (seen.type === 'pending' && !call.replayed) {
        asks.set(askName(runOf(call), call.info.toolCallId ?? ''), seen.intent)
        onEvent({ type: 'pending', intent: seen.intent, approvalUrl: seen.intent.approvalUrl })
      }
      if (seen.type === 'refused' && !call.replayed) {
        rememberRefused(call.info.messages, ready.asked.key, seen)
        const { code, intent } = seen
        const { action } = ready.asked.draft
        if (!intent?.resolution) {
          onEvent({ type: 'refused', intent, action, code, message: refusalError(seen).message })
        }
      }
      return seen
    },
    askedFor: (run, toolCallId) => asks.get(askName(run, toolCallId)),
    async letGo(input, given) {
      try {
        const ready = await ask(input, toolCallOf(name, given, options.run))
        if (!ready) return undefined
        const seen = await look(gate, ready.asked, { create: false })
        if (seen.type === 'refused' && seen.intent === undefined) return gateRefusal(seen)
        return seen.intent && (await supersede(gate, seen.intent.id))
      } catch (error) {
        // A call that cannot be asked for was never asked for.
        if (isSilentAuthError(error)) return gateRefusal(error)
        throw error
      }
    },
    routeOf: (refusal) => refusalRoute(refusal, options) as 'message' | 'throw' | 'pending',
  }
}

/** With the text that models are told as its message: the SDK tells them of errors. */
export function refusalThrown(refusal: NotExecuted): SilentAuthError {
  const intentId = isSilentAuthError(refusal) ? refusal.intentId : refusal.intent?.id
  const cause = isSilentAuthError(refusal) ? refusal : refusal.type === 'refused' ? refusal.cause : undefined
  return new SilentAuthError(refusalCode(refusal), refusalText(refusal), {
    ...(intentId !== undefined && { intentId }),
    ...(cause !== undefined && { cause }),
  })
}

const BOX = Symbol('box')

function boxed(output: AsyncGenerator | Promise<unknown>): AsyncGenerator | Promise<object> {
  return isSteps(output) ? output : output.then((value) => ({ [BOX]: value }))
}

/** A generator returns what its last step was, without a box. */
function unboxed(output: unknown): unknown {
  const isBox = typeof output === 'object' && output !== null && BOX in output
  return isBox ? output[BOX] : output
}

async function answerOf(output: AsyncGenerator | Promise<unknown>): Promise<Answer> {
  return isSteps(output) ? { type: 'steps', steps: output } : { type: 'output', output: await output }
}

function isSteps(value: unknown): value is AsyncGenerator {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value && 'next' in value
}
