/**
 * A LangChain agent in a process of its own, whose threads are in a file: held, or suspended.
 *
 * @module
 */
import path from 'node:path'
import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { fakeModel } from '@langchain/core/testing'
import { Command } from '@langchain/langgraph'
import { gateTool } from '@silentauth/langchain'
import { pendingGates, resolveInterrupts } from '@silentauth/langchain/langgraph'
import { createAgent, tool } from 'langchain'
import { z } from 'zod'
import { SqliteSaver } from '../../../examples/langgraph-suspend/sqlite-saver.ts'
import { agentProcess } from '../../../test/support/agent-process.ts'

await using own = await agentProcess()
const { gate, folder, commands, idempotent } = own
const wait = process.argv[3] === 'hold' ? 'hold' : 'suspend'
const refund = tool(async (args) => own.refund(args), {
  name: 'issue_refund',
  description: 'Pays back.',
  schema: z.object({ customer_id: z.string(), amount: z.number() }),
})
const says = (messages: BaseMessage[]): AIMessage =>
  messages.at(-1)?.getType() === 'human'
    ? new AIMessage({
        content: '',
        id: crypto.randomUUID(),
        tool_calls: [
          { type: 'tool_call', id: 'call_1', name: 'issue_refund', args: { customer_id: 'cust_4821', amount: 250 } },
        ],
      })
    : new AIMessage('All done.')
const agent = createAgent({
  model: commands.reduce((model) => model.respond(says).respond(says), fakeModel()),
  tools: [gateTool(refund, { gate, wait, idempotent })],
  checkpointer: new SqliteSaver(path.join(folder, 'threads.db')),
})
const config = { configurable: { thread_id: 'thread-1' } }
const hello = { messages: [new HumanMessage('Refund 250 to cust_4821.')] }

for (const command of commands) {
  const { next, tasks, values } = await agent.graph.getState(config)
  switch (command) {
    case 'start':
      // A process that holds is started again by whoever finds its thread unfinished.
      if (next.length > 0) await agent.invoke(null as never, config)
      else if (wait === 'suspend' || !values.messages) await agent.invoke(hello, config)
      break
    case 'continue':
      // What was killed before its first checkpoint has left nothing to continue.
      await agent.invoke(next.length > 0 ? (null as never) : hello, config)
      break
    case 'wake': {
      const ids = tasks.flatMap(({ interrupts }) => interrupts.map(({ id }) => id ?? ''))
      const resume = Object.fromEntries(ids.map((id) => [id, { approved: true }]))
      await agent.invoke((ids.length > 0 ? new Command({ resume }) : null) as never, config)
      break
    }
    case 'resume': {
      const { command: go } = await resolveInterrupts(agent as never, config, { gate })
      if (go) await agent.invoke(go as never, config)
    }
  }
}
const { messages = [] } = (await agent.graph.getState(config)).values as { messages?: BaseMessage[] }
own.end({
  waiting: (await pendingGates(agent as never, config)).map(({ intentId }) => intentId),
  toolTexts: messages.filter((message) => ToolMessage.isInstance(message)).map(({ text }) => text),
  answer: messages.at(-1)?.text,
})
