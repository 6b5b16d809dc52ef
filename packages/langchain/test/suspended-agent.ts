/**
 * An agent whose gated calls suspend: each start and each resume is another agent object over one checkpointer, as if the
 * process had ended in between.
 *
 * @module
 */
import { AIMessage, type BaseMessage, ToolMessage } from '@langchain/core/messages'
import { fakeModel } from '@langchain/core/testing'
import { type BaseCheckpointSaver, Command, MemorySaver } from '@langchain/langgraph'
import type { Gate } from '@silentauth/core'
import { type PendingGate, pendingGates, resolveInterrupts } from '@silentauth/langchain/langgraph'
import { createAgent } from 'langchain'
import { type Call, hi } from './refund-tool.ts'

export interface SuspendedAgentOptions {
  gate: Gate
  tools: readonly unknown[]
  middleware?: readonly unknown[]
  version?: 'v1' | 'v2'
  saver?: BaseCheckpointSaver
  thread?: string
}

export function suspendedAgent(calls: readonly (Call | Call[])[], options: SuspendedAgentOptions) {
  const { gate, saver = new MemorySaver(), thread = 't', ...rest } = options
  const config = { configurable: { thread_id: thread } }
  const turns = calls.map((turn) => (Array.isArray(turn) ? turn : [turn]))
  const made = { asked: 0 }
  // What the model says depends on the turn, as it would after a restart.
  const anAgent = () => {
    const left = turns.slice(made.asked)
    const model = left.reduce((said, calls) => said.respond(aTurn(calls)), fakeModel()).respond(new AIMessage('done'))
    return { agent: createAgent({ ...rest, checkpointer: saver, model } as never), model }
  }
  const invoke = async (input: unknown, more: object = {}) => {
    const { agent, model } = anAgent()
    try {
      return (await agent.invoke(input as never, { ...config, ...more })) as { messages: BaseMessage[] }
    } finally {
      made.asked += model.callCount
    }
  }
  return {
    config,
    invoke,
    agent: () => anAgent().agent,
    start: (more?: object) => invoke(hi, more),
    /** Whatever value it is resumed with. */
    resumeWith: (value: unknown) => invoke(value === null ? null : new Command({ resume: value })),
    pending: (): Promise<PendingGate[]> => pendingGates(anAgent().agent as never, config),
    /** As applications do: false when nothing could go on. */
    async resume(): Promise<boolean> {
      const { command } = await resolveInterrupts(anAgent().agent as never, config, { gate })
      if (command) await invoke(command)
      return command !== undefined
    },
    async messages(): Promise<BaseMessage[]> {
      const { values } = await anAgent().agent.graph.getState(config)
      return (values as { messages: BaseMessage[] }).messages ?? []
    },
    async toolTexts(): Promise<string[]> {
      return (await this.messages()).filter((message) => ToolMessage.isInstance(message)).map(({ text }) => text)
    },
    /** Wakes everything that waits, decided or not. */
    async wakeAll(): Promise<void> {
      const gates = await this.pending()
      await invoke(new Command({ resume: Object.fromEntries(gates.map(({ interruptId }) => [interruptId, 'wake'])) }))
    },
  }
}

/** With an id of its own: models made anew would all say message 0, which LangGraph takes for the same one. */
function aTurn(calls: readonly Call[]): AIMessage {
  const id = crypto.randomUUID()
  return new AIMessage({ id, content: '', tool_calls: calls.map((call) => ({ type: 'tool_call' as const, ...call })) })
}
