/**
 * Plays the scenarios of the conformance suite on LangChain: `createAgent`, with the real OpenAI client before a scripted
 * server, a checkpointer, tracers, and all kinds of streams.
 *
 * @module
 */
import type { RunnableConfig } from '@langchain/core/runnables'
import type { StructuredToolInterface } from '@langchain/core/tools'
import { BaseTracer, type Run } from '@langchain/core/tracers/base'
import { LangChainTracer } from '@langchain/core/tracers/tracer_langchain'
import { MemorySaver } from '@langchain/langgraph'
import { ChatOpenAI } from '@langchain/openai'
import type { AdapterDriver, AgentEnd, AgentRun, AgentTool } from '@silentauth/core/contracts'
import { gateTool } from '@silentauth/langchain'
import { createAgent, createMiddleware, ToolMessage, tool } from 'langchain'
import { type ScriptedOpenai, scriptedOpenai } from '../../../examples/demo/scripted-openai.ts'
import { reachableText } from './reachable-text.ts'

export const holdDriver: AdapterDriver = {
  async run(run) {
    await using openai = await scriptedOpenai(run.turns)
    const watcher = watch()
    const checkpointer = new MemorySaver()
    const agent = createAgent({
      model: new ChatOpenAI({
        model: 'scripted-model',
        apiKey: openai.apiKey,
        configuration: { baseURL: openai.url },
        maxRetries: 0,
        streaming: run.streaming,
      }),
      tools: toolsOf(run),
      checkpointer,
      ...(run.repeats.length > 0 && { middleware: [repeating(run)] }),
    })
    const input = { messages: [{ role: 'user', content: 'Please refund customer cust_4821.' }] }
    const config = { configurable: { thread_id: run.thread }, callbacks: watcher.callbacks, signal: run.signal }

    const streamed: unknown[] = []
    const end: { answer?: string; error?: unknown } = {}
    try {
      if (run.streaming) {
        for await (const event of agent.streamEvents(input, { ...config, version: 'v2' })) streamed.push(event)
      } else {
        for await (const chunk of await agent.stream(input, {
          ...config,
          streamMode: ['values', 'updates', 'custom', 'messages', 'debug'],
        })) {
          streamed.push(chunk)
        }
      }
      const { messages } = (await agent.graph.getState(config)).values as { messages: { text: string }[] }
      const answer = messages.at(-1)?.text
      if (answer !== undefined) end.answer = answer
    } catch (error) {
      end.error = error
    }
    return {
      toolResults: toolResultsOf(openai),
      answer: end.answer,
      error: end.error,
      observed: reachableText([openai.requests, watcher.seen, streamed, checkpointer.storage, checkpointer.writes]),
    } satisfies AgentEnd
  },
}

function toolsOf(run: AgentRun): StructuredToolInterface[] {
  const tools = new Map<string, StructuredToolInterface>()
  for (const defined of run.tools) {
    const made = toolOf(defined, tools)
    tools.set(defined.name, defined.gated ? gateTool(made, { gate: run.gate, ...run.options }) : made)
  }
  return [...tools.values()]
}

function toolOf({ name, schema, kind, execute }: AgentTool, tools: ReadonlyMap<string, StructuredToolInterface>) {
  const fields = { name, schema, description: name.replaceAll('_', ' ') }
  const run = (args: unknown, runtime: RunnableConfig) =>
    execute(args as Parameters<typeof execute>[0], async (other, itsArgs) => {
      const result: unknown = await tools.get(other)?.invoke(itsArgs, runtime)
      return ToolMessage.isInstance(result) ? result.text : String(result)
    })
  switch (kind) {
    case 'plain':
      return tool(run, fields) as StructuredToolInterface
    case 'artifact':
      return tool(async (args, runtime: RunnableConfig) => [await run(args, runtime), { kept: true }], {
        ...fields,
        responseFormat: 'content_and_artifact',
      }) as StructuredToolInterface
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
function toolResultsOf({ requests }: ScriptedOpenai): string[] {
  const messages = requests.at(-1)?.messages ?? []
  return messages.filter(({ role }) => role === 'tool').map(({ content }) => textOf(content))
}

function textOf(content: unknown): string {
  return typeof content === 'string' ? content : reachableText(content)
}

/** Everything that tracers and LangSmith are told. */
function watch() {
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
