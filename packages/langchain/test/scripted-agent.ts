/**
 * The scripted agent of the conformance suite, on LangChain: `createAgent` with the real OpenAI client before a scripted
 * server, gated tools, tracers, and a middleware that repeats calls.
 *
 * @module
 */
import type { RunnableConfig } from '@langchain/core/runnables'
import type { StructuredToolInterface } from '@langchain/core/tools'
import { BaseTracer, type Run } from '@langchain/core/tracers/base'
import { LangChainTracer } from '@langchain/core/tracers/tracer_langchain'
import { type BaseCheckpointSaver, interrupt } from '@langchain/langgraph'
import { ChatOpenAI } from '@langchain/openai'
import type { AgentRun, AgentTool } from '@silentauth/core/contracts'
import { inTime, reachableText } from '@silentauth/core/contracts'
import { gateTool } from '@silentauth/langchain'
import { gateMiddleware } from '@silentauth/langchain/middleware'
import { createAgent, createMiddleware, ToolMessage, tool } from 'langchain'
import type { ScriptedOpenai } from '../../../examples/demo/scripted-openai.ts'

export const input = { messages: [{ role: 'user', content: 'Please refund customer cust_4821.' }] }

/** A new object each time, as in a process of its own. */
export function agentOf(run: AgentRun, openai: ScriptedOpenai, checkpointer: BaseCheckpointSaver) {
  const model = new ChatOpenAI({
    model: 'scripted-model',
    apiKey: openai.apiKey,
    configuration: { baseURL: openai.url },
    maxRetries: 0,
    streaming: run.streaming,
  })
  // The tools are gated themselves; this one only answers the calls that a new message leaves behind.
  const repairing = run.options.wait === 'suspend' ? [gateMiddleware({ gate: run.gate, default: 'pass' })] : []
  return createAgent({
    model,
    tools: toolsOf(run, model),
    checkpointer,
    middleware: [...repairing, ...(run.repeats.length > 0 ? [repeating(run)] : [])],
  })
}

function toolsOf(run: AgentRun, model: ChatOpenAI): StructuredToolInterface[] {
  const tools = new Map<string, StructuredToolInterface>()
  for (const defined of run.tools) {
    const made = toolOf(defined, tools, model)
    const { reenters } = defined
    tools.set(defined.name, defined.gated ? gateTool(made, { gate: run.gate, reenters, ...run.options }) : made)
  }
  return [...tools.values()]
}

function toolOf(
  { name, schema, kind, timeoutMs, execute }: AgentTool,
  tools: ReadonlyMap<string, StructuredToolInterface>,
  model: ChatOpenAI,
) {
  const fields = { name, schema, description: name.replaceAll('_', ' ') }
  const run = (args: unknown, runtime: RunnableConfig) =>
    inTime(
      execute(args as Parameters<typeof execute>[0], {
        async call(other, itsArgs) {
          const result: unknown = await tools.get(other)?.invoke(itsArgs, runtime)
          return ToolMessage.isInstance(result) ? result.text : String(result)
        },
        ask: async (question) => String(interrupt(question)),
      }),
      timeoutMs,
    )
  switch (kind) {
    case 'plain':
      return tool(run, fields) as StructuredToolInterface
    case 'artifact':
      return tool(async (args, runtime: RunnableConfig) => [await run(args, runtime), { kept: true }], {
        ...fields,
        responseFormat: 'content_and_artifact',
      }) as StructuredToolInterface
    case 'agent':
      return tool(async (_, runtime: RunnableConfig) => {
        const colleague = createAgent({ model, tools: [...tools.values()] })
        const { messages } = await colleague.invoke(
          { messages: [{ role: 'user', content: 'Please refund.' }] },
          runtime,
        )
        return messages.at(-1)?.text ?? ''
      }, fields) as StructuredToolInterface
    case 'generator':
      return tool(async function* (args, runtime: RunnableConfig) {
        yield 'on it'
        return await run(args, runtime)
      }, fields) as StructuredToolInterface
  }
}

/** As a retry layer does: the same task, the same call. */
function repeating({ repeats, tools }: AgentRun) {
  const gated = new Set(tools.filter((tool) => tool.gated).map(({ name }) => name))
  return createMiddleware({
    name: 'Repeating',
    async wrapToolCall(request, handler) {
      const { toolCall } = request
      const attempt = async (args: typeof toolCall.args) => {
        try {
          return await handler({ ...request, toolCall: { ...toolCall, args } })
        } catch (error) {
          if (error instanceof Error && error.name === 'GraphInterrupt') throw error
          return new ToolMessage({ status: 'error', content: String(error), tool_call_id: toolCall.id ?? '' })
        }
      }
      let result = await attempt(toolCall.args)
      if (!gated.has(toolCall.name)) return result
      for (const again of repeats) result = await attempt(again === 'unchanged' ? toolCall.args : { ...again })
      return result
    },
  })
}

/** The last request has the whole conversation. */
export function toolResultsOf({ requests }: ScriptedOpenai): string[] {
  const messages = requests.at(-1)?.messages ?? []
  return messages.filter(({ role }) => role === 'tool').map(({ content }) => textOf(content))
}

function textOf(content: unknown): string {
  return typeof content === 'string' ? content : reachableText(content)
}

/** Everything that tracers and LangSmith are told. */
export function watch() {
  const seen: unknown[] = []
  class Tracer extends BaseTracer {
    override readonly name = 'watching_tracer'
    protected override async persistRun(run: Run): Promise<void> {
      seen.push(run)
    }
  }
  const client = {
    createRun: async (run: unknown) => void seen.push(run),
    updateRun: async (id: string, run: unknown) => void seen.push(id, run),
    getHostUrl: () => 'http://127.0.0.1',
    awaitPendingTraceBatches: async () => {},
  }
  return { seen, callbacks: [new Tracer(), new LangChainTracer({ client: client as never })] }
}
