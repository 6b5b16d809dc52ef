/**
 * The gate as a middleware of `createAgent`: a second line, for tools that are not there when the agent is defined. It hands
 * each call on with a gated tool in place of the tool, so that what is approved is what is executed, whatever stands in
 * between. Its rules are read once: no context, configuration or metadata of an invocation reaches them.
 *
 * @module
 */
import { gateRefusal, isSilentAuthError, type RuledTool, ruleBook, SilentAuthError } from '@silentauth/core'
import { type AgentMiddleware, createMiddleware, MiddlewareError, ToolInvocationError, ToolMessage } from 'langchain'
import { checkOptions, type GateToolOptions } from './gate-options.js'
import { type ClientTool, gateTool, isGated, requireTool } from './gate-tool.js'
import { denied, type GateToolsOptions } from './gate-tools.js'
import { answerSuperseded } from './superseded-calls.js'
import { isInterrupt } from './suspension.js'
import { refusalMessage } from './tool-result.js'

export interface GateMiddlewareOptions extends GateToolsOptions {
  /**
   * A middleware around tool calls switches LangChain's own handling of their errors off. `message`: the model is told, as
   * without a middleware. `throw`: the run ends, unless a middleware further out handles it, such as one that retries.
   *
   * @default 'message'
   */
  toolErrors?: 'message' | 'throw' | undefined
  /** A new message to a suspended thread cancels the intents of the calls that it leaves behind. @default true */
  cancelSuperseded?: boolean | undefined
}

/**
 * Gates the tools of an agent, also those that another middleware adds. List it first; one that adds tools goes before it.
 *
 * @throws TypeError for options that make no sense
 */
export function gateMiddleware(options: GateMiddlewareOptions): AgentMiddleware {
  const { toolErrors = 'message', cancelSuperseded = true, ...rules } = options
  if (!['message', 'throw'].includes(toolErrors)) throw new TypeError(`toolErrors: '${toolErrors}' is neither`)
  const book = ruleBook<GateToolOptions<never>>(rules)
  checkOptions('gateMiddleware', rules)
  const gated = new WeakMap<object, ClientTool>()

  /** A call of one name with the tool of another is under both rules. */
  const ruleOf = (called: string, tool: string | undefined): RuledTool<GateToolOptions<never>> => {
    const both = [book.of(tool ?? called), book.of(called)] as const
    return both.find(({ type }) => type === 'deny') ?? both.find(({ type }) => type === 'gate') ?? both[0]
  }
  const withGate = (tool: unknown, rule: Exclude<RuledTool<GateToolOptions<never>>, { type: 'pass' }>) => {
    if (tool === undefined) return undefined
    requireTool(tool)
    if (rule.type === 'deny') return denied(tool, rule.options)
    if (isGated(tool)) return tool
    book.claimAction(tool.name, rule.options)
    const made = gated.get(tool) ?? gateTool(tool, rule.options as GateToolOptions)
    gated.set(tool, made)
    return made
  }

  return createMiddleware({
    name: 'SilentAuthGate',
    async wrapToolCall(request, handler) {
      const { toolCall } = request
      const rule = ruleOf(toolCall.name, request.tool?.name as string | undefined)
      const tool = rule.type === 'pass' ? request.tool : withGate(request.tool, rule)
      if (rule.type !== 'pass' && tool === undefined) return ungateable(toolCall)
      const watched = watch(tool)
      try {
        const result = await handler({ ...request, tool: watched.tool as typeof request.tool })
        watched.suspendIfInterrupted()
        return result
      } catch (error) {
        const root = rootOf(error)
        const thrown = isSilentAuthError(root) && rule.type === 'gate' && throwsRefusals(rule.options)
        const isNotTheTools = thrown || bubblesUp(root) || ToolInvocationError.isInstance(root)
        if (toolErrors === 'throw' || request.runtime.signal?.aborted || isNotTheTools) throw error
        return new ToolMessage({
          status: 'error',
          name: toolCall.name,
          tool_call_id: toolCall.id ?? '',
          // LangChain's own words.
          content: `${String(root)}\n Please fix your mistakes.`,
        })
      }
    },
    async beforeAgent(state, runtime) {
      const { gate } = rules
      const messages = await answerSuperseded(state.messages, { gate, cancel: cancelSuperseded, runtime })
      return messages && { messages }
    },
  }) as AgentMiddleware
}

interface Watched {
  readonly tool: unknown
  suspendIfInterrupted(): void
}

/** Layers further in that try a tool again take an interrupt for a failure: the run would go on without its call. */
function watch(tool: unknown): Watched {
  if (!isGated(tool)) return { tool, suspendIfInterrupted: () => undefined }
  const gated = tool as ClientTool
  let interrupted: unknown
  const invoke = async (...args: Parameters<ClientTool['invoke']>): Promise<unknown> => {
    try {
      const output = await gated.invoke(...args)
      interrupted = undefined
      return output
    } catch (error) {
      interrupted = isInterrupt(error) ? error : undefined
      throw error
    }
  }
  return {
    tool: Object.create(gated, { invoke: { value: invoke } }),
    suspendIfInterrupted() {
      if (interrupted !== undefined) throw interrupted
    },
  }
}

/** What is not there yet, or was never there: whoever adds it further in would go around the gate. */
function ungateable({ name, id }: { name: string; id?: string | undefined }): ToolMessage {
  const refusal = new SilentAuthError('FORBIDDEN', `${name}: no tool that could be gated has this name`)
  return refusalMessage(gateRefusal(refusal), { name, toolCallId: id ?? '' }) as ToolMessage
}

/** LangChain wraps an error once per middleware. */
function rootOf(error: unknown): unknown {
  let root = error
  while (MiddlewareError.isInstance(root)) root = root.cause
  return root
}

/** Interrupts, and commands that leave the graph. */
function bubblesUp(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'is_bubble_up' in error && error.is_bubble_up === true
}

function throwsRefusals({ onDenied, onGateError, replay }: GateToolOptions<never>): boolean {
  return onDenied === 'throw' || onGateError === 'throw' || replay === 'error'
}
