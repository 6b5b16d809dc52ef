/**
 * What the tests gate: a refund, and agents whose model says what the test wrote down.
 *
 * @module
 */
import { AIMessage, HumanMessage } from '@langchain/core/messages'
import { fakeModel } from '@langchain/core/testing'
import { currentPermit } from '@silentauth/langchain'
import { createAgent, type ToolMessage, tool } from 'langchain'
import { vi } from 'vitest'
import { z } from 'zod'

export const hi = { messages: [new HumanMessage('hi')] }

/** `execute` is told the amount, and what the permit says of it. */
export function refundTool() {
  const execute = vi.fn((amount: number, _permitted: unknown) => `refunded ${amount}`)
  const refund = tool(async ({ amount }) => execute(amount, currentPermit({ action: 'refund' })?.params), {
    name: 'refund',
    description: 'pays money back',
    schema: z.object({ amount: z.number() }),
  })
  return { refund, execute }
}

export interface Call {
  name: string
  args: Record<string, unknown>
  id?: string
}

/** Each list of calls is one turn; then the model is done. */
export function modelThatCalls(...turns: Call[][]) {
  return turns.reduce((model, calls) => model.respondWithTools(calls), fakeModel()).respond(new AIMessage('done'))
}

interface AgentOptions {
  tools: readonly unknown[]
  middleware?: readonly unknown[]
  checkpointer?: unknown
  version?: 'v1' | 'v2'
}

export function agentThatCalls(calls: Call[], options: AgentOptions) {
  return createAgent({ ...options, model: modelThatCalls(calls) } as never) as unknown as {
    invoke(input: unknown, config?: unknown): Promise<{ messages: ToolMessage[] }>
  }
}

/** `[status, content]` of every tool message. */
export function toolMessages({ messages }: { messages: ToolMessage[] }): [string | undefined, unknown][] {
  return messages.filter((message) => message.getType() === 'tool').map(({ status, content }) => [status, content])
}

export function toolCall(name: string, args: Record<string, unknown>, id = 'call_1') {
  return { type: 'tool_call' as const, name, args, id }
}

export async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}
