/**
 * The scripted agent of the conformance suite, on the Agents SDK: the real OpenAI client before a scripted server, gated
 * tools, and a processor of traces.
 *
 * @module
 */
import {
  Agent,
  type FunctionTool,
  OpenAIChatCompletionsModel,
  type RunContext,
  type TracingProcessor,
  tool,
} from '@openai/agents'
import { isSilentAuthError, type JsonObject } from '@silentauth/core'
import type { AgentRun, AgentTool } from '@silentauth/core/contracts'
import { reachableText } from '@silentauth/core/contracts'
import { gateAgentTool, gateTool } from '@silentauth/openai/agents'
import OpenAI, { APIUserAbortError } from 'openai'
import type { ScriptedOpenai } from '../../../examples/demo/scripted-openai.ts'

export const input = 'Please refund customer cust_4821.'

type AnyTool = FunctionTool

/** A new object each time, as in a process of its own. */
export function agentOf(run: AgentRun, openai: ScriptedOpenai): Agent {
  const client = new OpenAI({ apiKey: openai.apiKey, baseURL: openai.url, maxRetries: 0 })
  const model = new OpenAIChatCompletionsModel(client as never, 'scripted-model')
  return new Agent({ name: 'refunds', model, tools: toolsOf(run, model) })
}

function toolsOf(run: AgentRun, model: OpenAIChatCompletionsModel): AnyTool[] {
  const tools = new Map<string, AnyTool>()
  for (const defined of run.tools) {
    const made = toolOf(defined, tools, model)
    // What else pauses itself is of other frameworks.
    const gate = defined.kind === 'agent' ? gateAgentTool : gateTool
    const gated = defined.gated ? gate(made, { gate: run.gate, ...run.options }) : made
    tools.set(defined.name, defined.gated ? repeating(gated, run.repeats) : gated)
  }
  return [...tools.values()]
}

function toolOf(
  { name, schema, kind, timeoutMs, execute }: AgentTool,
  tools: ReadonlyMap<string, AnyTool>,
  model: OpenAIChatCompletionsModel,
): AnyTool {
  const description = name.replaceAll('_', ' ')
  if (kind === 'agent') {
    const colleague = new Agent({ name: 'colleague', model })
    Object.defineProperty(colleague, 'tools', { get: () => [...tools.values()] })
    return colleague.asTool({ toolName: name, toolDescription: description, parameters: schema }) as unknown as AnyTool
  }
  return tool({
    name,
    description,
    parameters: schema,
    ...(timeoutMs !== undefined && { timeoutMs }),
    errorFunction: (_, error) => `${error}`,
    ...(kind === 'artifact' && { customDataExtractor: () => ({ kept: true }) }),
    execute: (args, context, details) =>
      execute(args as JsonObject, {
        call: async (other, itsArgs) =>
          String(await tools.get(other)?.invoke(context as RunContext, JSON.stringify(itsArgs), details)),
        ask: () => Promise.reject(new TypeError('tools of this SDK ask nothing')),
      }),
  }) as unknown as AnyTool
}

/** As a retry layer does: the same call of the model. */
function repeating(gated: AnyTool, repeats: AgentRun['repeats']): AnyTool {
  if (repeats.length === 0) return gated
  return Object.create(gated, {
    invoke: {
      enumerable: true,
      async value(context: RunContext, json: string, details: object) {
        const attempt = (args: string) => gated.invoke(context, args, details).catch(textOfError)
        let result = await attempt(json)
        for (const again of repeats) result = await attempt(again === 'unchanged' ? json : JSON.stringify(again))
        return result
      },
    },
  })
}

/** What the gate says of a call is not to be tried again. */
function textOfError(error: unknown): string {
  if (isSilentAuthError(error)) throw error
  return String(error)
}

/** The last request has the whole conversation; results of a turn may stand in the order in which they came. */
export function toolResultsOf({ requests }: ScriptedOpenai): string[] {
  const messages = requests.at(-1)?.messages ?? []
  const called = messages.flatMap(({ tool_calls }) => (tool_calls ?? []) as { id: string }[]).map(({ id }) => id)
  const place = ({ tool_call_id }: { tool_call_id?: string }) => called.indexOf(tool_call_id ?? '')
  const results = messages.filter(({ role }) => role === 'tool')
  return results.toSorted((one, other) => place(one) - place(other)).map(({ content }) => textOf(content))
}

function textOf(content: unknown): string {
  return typeof content === 'string' ? content : reachableText(content)
}

/** What the SDK makes of an abort is its own; the caller has the signal. */
export function errorSeen(error: unknown, signal: AbortSignal): unknown {
  const aborted = error instanceof APIUserAbortError || (error as { name?: unknown } | null)?.name === 'AbortError'
  return signal.aborted && aborted ? signal.reason : error
}

/** Everything that tracing is told. */
export function watch() {
  const seen: unknown[] = []
  const note = async (it: { toJSON(): unknown }) => void seen.push(it.toJSON())
  const processor: TracingProcessor = {
    onTraceStart: note,
    onTraceEnd: note,
    onSpanStart: note,
    onSpanEnd: note,
    shutdown: async () => {},
    forceFlush: async () => {},
  }
  return { seen, processor }
}

/** What of a result is looked at. */
export interface Ended {
  readonly finalOutput?: string | undefined
  readonly newItems: readonly unknown[]
  readonly state: { toString(): string }
}
