/**
 * The scripted agent of the conformance suite, on the AI SDK: the real client before a scripted server, gated tools, telemetry
 * and a layer that repeats calls.
 *
 * @module
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { GateRun } from '@silentauth/ai-sdk'
import { gateTool } from '@silentauth/ai-sdk'
import type { AgentRun, AgentTool } from '@silentauth/core/contracts'
import { inTime, reachableText } from '@silentauth/core/contracts'
import type { Tool, ToolSet } from 'ai'
import type { ScriptedOpenai } from '../../../examples/demo/scripted-openai.ts'
import type { Sdk } from './sdk.ts'

type Options = Parameters<NonNullable<Tool['execute']>>[1]
type Runnable = Tool & { execute(input: unknown, options: Options): unknown }

export const question = { role: 'user' as const, content: 'Please refund customer cust_4821.' }

export function toolsOf(sdk: Sdk, run: AgentRun, openai: ScriptedOpenai, gateRun: GateRun): ToolSet {
  const tools: Record<string, Runnable> = {}
  for (const defined of run.tools) {
    const made = toolOf(sdk, defined, tools, openai) as Runnable
    const { gated, name, reenters } = defined
    const options = { gate: run.gate, reenters, run: gateRun, ...run.options }
    tools[name] = gated ? repeating(gateTool(name, made, options), run) : made
  }
  return tools
}

function toolOf(
  { ai, modelOf, steps }: Sdk,
  { name, schema, kind, timeoutMs, execute }: AgentTool,
  tools: Record<string, Runnable>,
  openai: ScriptedOpenai,
): Tool {
  const fields = { inputSchema: schema, description: name.replaceAll('_', ' ') }
  const run = (args: unknown, options: Options) => {
    let nested = 0
    const ran = execute(args as Parameters<typeof execute>[0], {
      // Each call of another tool is a call of its own.
      call: async (other, itsArgs) => {
        const toolCallId = `${options.toolCallId}/${++nested}`
        const output = await tools[other]?.execute(itsArgs, { ...options, toolCallId })
        return typeof output === 'string' ? output : reachableText(output)
      },
      ask: () => Promise.reject(new Error('a tool of the AI SDK cannot ask')),
    })
    return inTime(ran, timeoutMs)
  }
  switch (kind) {
    case 'plain':
      return ai.tool({ ...fields, execute: run }) as Tool
    case 'artifact':
      return ai.tool({
        ...fields,
        execute: async (args: unknown, options: Options) => ({ text: await run(args, options), artifact: [1, 2] }),
        toModelOutput: ({ output }) => ({ type: 'text', value: (output as { text: string }).text }),
      }) as Tool
    case 'generator':
      return ai.tool({
        ...fields,
        async *execute(args: unknown, options: Options) {
          yield 'on it'
          yield await run(args, options)
        },
      }) as Tool
    case 'agent':
      return ai.tool({
        ...fields,
        async execute(_: unknown, { abortSignal }: Options) {
          const model = modelOf(openai)
          const messages = [{ role: 'user' as const, content: 'Please refund.' }]
          const { text } = await ai.generateText({
            model,
            tools,
            messages,
            stopWhen: steps(5),
            ...(abortSignal && { abortSignal }),
          })
          return text
        },
      }) as Tool
  }
}

/** As a retry layer does: the same step, the same call. */
function repeating(gated: Runnable, { repeats }: AgentRun): Runnable {
  if (repeats.length === 0) return gated
  return {
    ...gated,
    async execute(input: unknown, options: Options) {
      const attempt = async (args: unknown) => {
        try {
          return await gated.execute(args, options)
        } catch (error) {
          return String(error)
        }
      }
      let result = await attempt(input)
      for (const again of repeats) result = await attempt(again === 'unchanged' ? input : { ...again })
      return result
    },
  } as Runnable
}

/** The last request has the whole conversation. A run that was resumed has its results in the order in which they came. */
export function toolResultsOf({ requests }: ScriptedOpenai): string[] {
  const left = [...(requests.at(-1)?.messages ?? [])]
  const asked = left.flatMap(({ tool_calls }) => (tool_calls ?? []) as readonly { id: string }[])
  return asked.flatMap(({ id }) => {
    const at = left.findIndex(({ tool_call_id }) => tool_call_id === id)
    return at < 0 ? [] : left.splice(at, 1).map(({ content }) => reachableText(content))
  })
}

/** Everything that telemetry is told, and what is published for tracers; `telemetry` goes into the settings of a call. */
export function watch({ version }: Sdk) {
  const seen: unknown[] = []
  const listen = (message: unknown) => void seen.push(message)
  const channels = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((step) => `tracing:ai:telemetry:${step}`)
  for (const channel of channels) subscribe(channel, listen)
  const hooks = [
    'onStart',
    'onStepStart',
    'onLanguageModelCallStart',
    'onLanguageModelCallEnd',
    'onToolExecutionStart',
    'onToolExecutionEnd',
    'onStepEnd',
    'onStepError',
    'onEnd',
    'onAbort',
    'onError',
  ]
  const integration = Object.fromEntries(hooks.map((hook) => [hook, listen]))
  return {
    seen,
    telemetry:
      version === 7
        ? { telemetry: { isEnabled: true, integrations: [integration] } }
        : { experimental_telemetry: { isEnabled: true, tracer: tracerThatTells(listen) } },
    [Symbol.dispose]: () => {
      for (const channel of channels) unsubscribe(channel, listen)
    },
  }
}

/** As OpenTelemetry has them: of the older SDK, which writes everything that it does into spans. */
function tracerThatTells(listen: (message: unknown) => void) {
  const tell = (...told: unknown[]) => {
    listen(told)
    return span
  }
  const span = {
    spanContext: () => ({ traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 }),
    isRecording: () => true,
    end: () => {},
    setAttribute: tell,
    setAttributes: tell,
    addEvent: tell,
    setStatus: tell,
    updateName: tell,
    recordException: tell,
  }
  return {
    startSpan: tell,
    startActiveSpan: (...told: unknown[]) => (told.at(-1) as (of: typeof span) => unknown)(tell(...told)),
  }
}
