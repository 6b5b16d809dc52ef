import { awaitAllCallbacks } from '@langchain/core/callbacks/promises'
import type { ToolMessage } from '@langchain/core/messages'
import { RunnableLambda } from '@langchain/core/runnables'
import { DynamicTool, StructuredTool, Tool } from '@langchain/core/tools'
import { BaseTracer, type Run } from '@langchain/core/tracers/base'
import { Command } from '@langchain/langgraph'
import type { Gate } from '@silentauth/core'
import { approvingGate, denyingGate } from '@silentauth/core/testing'
import { type ClientTool, gateTool } from '@silentauth/langchain'
import { tool } from 'langchain'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { collected, toolCall } from './refund-tool.ts'

/** P14: what a tool does, seen from outside, in everything that a framework or a user reads. */
interface Usable extends ClientTool {
  invoke(input: unknown, config?: unknown): Promise<unknown>
  stream(input: unknown, config?: unknown): Promise<AsyncIterable<unknown>>
  batch(inputs: unknown[], config?: unknown): Promise<unknown>
  call?(input: unknown, config?: unknown): Promise<unknown>
}

const counted = z.object({ n: z.number().default(1) })
class Square extends StructuredTool {
  name = 'square'
  description = 'a class'
  schema = counted
  override returnDirect = true
  async _call({ n }: z.infer<typeof counted>) {
    return String(n * n)
  }
}
class Shout extends Tool {
  name = 'shout'
  description = 'a class that takes a text'
  async _call(text: string) {
    return text.toUpperCase()
  }
}

const TOOLS: Record<string, () => unknown> = {
  'a text result': () => tool(async ({ n }) => `n is ${n}`, { name: 'count', schema: counted }),
  'an object result': () => tool(async ({ n }) => ({ n }), { name: 'count', schema: counted }),
  'content blocks': () =>
    tool(async ({ n }) => [{ type: 'text', text: `n is ${n}` }], { name: 'count', schema: counted }) as never,
  'nothing as result': () => tool(async () => undefined, { name: 'count', schema: counted }),
  'an artifact': () =>
    tool(async ({ n }) => ['text', { n }], { name: 'count', schema: counted, responseFormat: 'content_and_artifact' }),
  'a command': () => tool(async () => new Command({ update: { done: true } }), { name: 'count', schema: counted }),
  steps: () =>
    tool(
      async function* ({ n }) {
        yield n
        yield n + 1
        return `counted to ${n + 1}`
      },
      { name: 'count', schema: counted },
    ),
  'every field': () =>
    tool(async ({ n }: { n: number }) => `n is ${n}`, {
      name: 'count',
      description: 'counts',
      schema: counted,
      returnDirect: true,
      extras: { cache_control: { type: 'ephemeral' } },
      metadata: { owner: 'us' },
      tags: ['a'],
      verboseParsingErrors: true,
      defaultConfig: { tags: ['b'] },
    } as never),
  'a JSON schema': () =>
    tool(async (args) => JSON.stringify(args), {
      name: 'count',
      schema: { type: 'object', properties: { n: { type: 'number' } } },
    } as never),
  'a transform': () =>
    tool(async ({ when }) => (when as Date).toISOString(), {
      name: 'count',
      schema: z.object({
        n: z.number().optional(),
        when: z
          .string()
          .default('2026-03-16')
          .transform((day) => new Date(day)),
      }),
    }),
  'a text as input': () => new DynamicTool({ name: 'say', description: 'says', func: async (text) => `said ${text}` }),
  'a class': () => new Square(),
  'a class that takes a text': () => new Shout(),
  'an error': () =>
    tool(
      async () => {
        throw new RangeError('out of range')
      },
      { name: 'count', schema: counted },
    ),
}

const ENTRIES: Record<string, (used: Usable, config: object) => Promise<unknown>> = {
  'invoke with a call': (used, config) => used.invoke(toolCall(used.name, inputOf(used) as never), config),
  'invoke with arguments': (used, config) => used.invoke(inputOf(used), config),
  'invoke with arguments that are wrong': (used, config) => used.invoke({ n: 'one', input: 7 }, config),
  call: async (used, config) => used.call?.(inputOf(used), config),
  'call with a call': async (used, config) => used.call?.(toolCall(used.name, inputOf(used) as never), config),
  stream: async (used, config) => collected(await used.stream(inputOf(used), config)),
  batch: (used, config) => used.batch([inputOf(used), toolCall(used.name, inputOf(used) as never)], config),
}

function inputOf({ name }: Usable): Record<string, unknown> {
  return name === 'say' || name === 'shout' ? { input: 'hey' } : { n: 3 }
}

/** Everything that comes out: result or error, the spans of the trace with their inputs and outputs, the events on the way. */
async function observe(used: Usable, enter: (used: Usable, config: object) => Promise<unknown>) {
  const seen: unknown[] = []
  let open = 0
  class Tracer extends BaseTracer {
    override readonly name = 'watching_tracer'
    override async onRunCreate(run: Run): Promise<void> {
      if (run.parent_run_id === undefined) open++
    }
    protected override async persistRun(run: Run): Promise<void> {
      seen.push(spanOf(run))
      open--
    }
  }
  const events = { handleToolEvent: (chunk: unknown) => void seen.push({ chunk }) }
  const result = await enter(used, { callbacks: [new Tracer(), events] }).catch((error: Error) => [
    error.name,
    error.message,
  ])
  // A batch ends with its first error, while its other calls go on.
  await vi.waitUntil(() => open === 0)
  await awaitAllCallbacks()
  // Calls of one batch take turns as they like.
  return { result: plain(result), seen: seen.map((one) => JSON.stringify(plain(one))).sort() }
}

function spanOf({ name, run_type, inputs, outputs, error, tags, serialized, child_runs }: Run): object {
  // Stacks say where an error was thrown, which is not the same place.
  const failure = error?.split('\n')[0]
  return { name, run_type, inputs, outputs, error: failure, tags, serialized, children: child_runs.map(spanOf) }
}

/** Without ids that are made anew each time. */
function plain(value: unknown): unknown {
  return value === undefined
    ? undefined
    : JSON.parse(
        JSON.stringify(value, (key, held) =>
          key === 'id' && typeof held === 'string' && held.startsWith('run-') ? undefined : held,
        ),
      )
}

function fieldsOf(used: unknown) {
  const {
    name,
    description,
    schema,
    returnDirect,
    responseFormat,
    extras,
    metadata,
    tags,
    verboseParsingErrors,
    defaultConfig,
    lc_namespace,
    lc_id,
  } = used as Record<string, unknown>
  const own = {
    name,
    description,
    schema,
    returnDirect,
    responseFormat,
    extras,
    metadata,
    tags,
    verboseParsingErrors,
    defaultConfig,
    lc_namespace,
    lc_id,
  }
  return { ...own, constructor: (used as object).constructor, json: JSON.stringify(used) }
}

const cases = Object.keys(TOOLS).flatMap((kind) => Object.keys(ENTRIES).map((entry) => [kind, entry] as const))

async function compare(kind: string, entry: string, gate: Gate) {
  const make = TOOLS[kind] as () => Usable
  const enter = ENTRIES[entry] as (typeof ENTRIES)[string]
  const ungated = await observe(make(), enter)
  const gated = await observe(gateTool(make(), { gate }), enter)
  return { gated, ungated }
}

describe('pitfall P14: under a gate that approves, a gated tool behaves as the ungated one', () => {
  it.each(Object.keys(TOOLS))('in its fields: %s', (kind) => {
    const original = TOOLS[kind]?.() as ClientTool
    expect(fieldsOf(gateTool(original, { gate: approvingGate() }))).toEqual(fieldsOf(original))
  })

  it.each(cases)('%s, through %s', async (kind, entry) => {
    const { gated, ungated } = await compare(kind, entry, approvingGate())
    expect(gated).toEqual(ungated)
  })
})

describe('pitfall P14, the control: under a gate that denies, it does not', () => {
  // What the schema refuses is refused before anybody is asked, so no gate shows in it.
  const asked = cases.filter(([, entry]) => entry !== 'invoke with arguments that are wrong')

  it.each(asked)('%s, through %s', async (kind, entry) => {
    const { gated, ungated } = await compare(kind, entry, denyingGate())
    expect(gated).not.toEqual(ungated)
  })
})

describe('pitfall P14: a runnable as a tool', () => {
  const make = () =>
    RunnableLambda.from(({ n }: { n: number }) => ({ doubled: 2 * n })).asTool({
      name: 'double',
      schema: z.object({ n: z.number() }) as never,
    })

  it.each([
    ['invoke with a call', toolCall('double', { n: 3 })],
    ['invoke with arguments', { n: 3 }],
  ])('gives what it gave, through %s', async (_, input) => {
    const gated: unknown = await gateTool(make(), { gate: approvingGate() }).invoke(input as never)
    expect(gated).toEqual(await make().invoke(input as never))
  })

  it('the control: not under a gate that denies', async () => {
    const gated = (await gateTool(make(), { gate: denyingGate() }).invoke({ n: 3 } as never)) as unknown as ToolMessage
    expect(gated.status).toBe('error')
  })
})
