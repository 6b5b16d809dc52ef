/**
 * The functions of the conformance suite for the plain client, which is the real one, before a scripted server.
 *
 * @module
 */
import type { JsonObject } from '@silentauth/core'
import { type AgentRun, type AgentTool, inTime } from '@silentauth/core/contracts'
import { gateRunnableTool } from '@silentauth/openai'
import OpenAI, { APIUserAbortError } from 'openai'
import { zodFunction } from 'openai/helpers/zod'
import type { RunnableToolFunctionWithParse } from 'openai/lib/RunnableFunction'
import type { ScriptedOpenai } from '../../../examples/demo/scripted-openai.ts'

export const model = 'scripted-model'
export const question = { role: 'user' as const, content: 'Please refund customer cust_4821.' }

export function clientOf(openai: ScriptedOpenai): OpenAI {
  return new OpenAI({ apiKey: openai.apiKey, baseURL: openai.url, maxRetries: 0 })
}

/** What `runTools` takes. */
export type Runnable = RunnableToolFunctionWithParse<object>

/** For `runTools`, which makes the calls itself. */
export function runnableTools(run: AgentRun, client: OpenAI): Runnable[] {
  const tools = new Map<string, Runnable>()
  /** As a function of another tool does: with the runner that it was given. */
  const called = (runner: unknown) => async (name: string, args: JsonObject) => {
    const { function: fields, $callback } = tools.get(name) as unknown as {
      function: { function?: (text: string, runner: unknown) => unknown }
      $callback?: (args: JsonObject) => unknown
    }
    return String(await (fields.function ? fields.function(JSON.stringify(args), runner) : $callback?.(args)))
  }
  const colleague = async (signal: AbortSignal) => {
    const asked = [{ role: 'user' as const, content: 'Please refund.' }]
    const runner = client.chat.completions.runTools({ model, messages: asked, tools: [...tools.values()] }, { signal })
    return (await runner.finalContent()) ?? ''
  }
  for (const defined of run.tools) {
    const { name, gated, schema, kind, timeoutMs, reenters } = defined
    const made = zodFunction({
      name,
      description: name.replaceAll('_', ' '),
      parameters: schema,
      function: (args: unknown, runner: { controller: AbortController }) =>
        kind === 'agent'
          ? colleague(runner.controller.signal)
          : inTime(executed(defined, args, called(runner)), timeoutMs),
    } as never) as unknown as Runnable
    const { wait: _, ...options } = run.options
    tools.set(
      name,
      gated ? gateRunnableTool(made, { gate: run.gate, ...options, ...(reenters && { reenters }) }) : made,
    )
  }
  return [...tools.values()]
}

/** What of a tool is done in the way of this client. */
export function executed(
  { execute }: AgentTool,
  args: unknown,
  call: (tool: string, args: JsonObject) => Promise<string>,
): Promise<string> {
  const ask = () => Promise.reject(new TypeError('functions of this client ask nothing'))
  return execute(args as JsonObject, { call, ask })
}

/** The last request has the whole conversation; results of a turn may stand in the order in which they came. */
export function toolResultsOf({ requests }: ScriptedOpenai): string[] {
  return (requests.at(-1)?.messages ?? []).filter(({ role }) => role === 'tool').map(({ content }) => String(content))
}

/** What the client makes of an abort is its own; the caller has the signal. */
export function errorSeen(error: unknown, signal: AbortSignal): unknown {
  return signal.aborted && error instanceof APIUserAbortError ? signal.reason : error
}
