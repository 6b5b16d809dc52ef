import { Command, MemorySaver } from '@langchain/langgraph'
import { scriptedGate } from '@silentauth/core/testing'
import { gateTool } from '@silentauth/langchain'
import { isGateInterrupt, pendingGates, resolveInterrupts } from '@silentauth/langchain/langgraph'
import { describe, expect, it, vi } from 'vitest'
import { refundTool } from './refund-tool.ts'
import { suspendedAgent } from './suspended-agent.ts'

const call = (amount: number, id: string) => ({ name: 'refund', args: { amount }, id })

async function twoWaiting() {
  const gate = scriptedGate(['wait', 'wait'])
  const { refund, execute } = refundTool()
  const saver = new MemorySaver()
  const tools = [gateTool(refund, { gate, wait: 'suspend' })]
  const agent = suspendedAgent([[call(1, 'c1'), call(2, 'c2')]], { gate, tools, saver })
  await agent.start()
  return { gate, execute, ...agent }
}

describe('pending gates', () => {
  it('are those of the thread, each with the id that wakes it', async () => {
    const { pending, gate, agent } = await twoWaiting()
    const found = await pending()
    expect(found.map(({ intentId }) => intentId).sort()).toEqual(gate.intents.map(({ id }) => id).sort())
    expect(new Set(found.map(({ interruptId }) => interruptId)).size).toBe(2)
    expect(await pendingGates(agent().graph as never, { configurable: { thread_id: 'another' } })).toEqual([])
  })

  it('are not those of calls that have run, while others of their turn wait', async () => {
    const { pending, gate, resume } = await twoWaiting()
    await gate.decide('approve')
    await resume()
    expect(await pending()).toHaveLength(1)
    expect(await resume()).toBe(false)
  })
})

describe('the command', () => {
  it('wakes those that are decided, by id, and says which still wait', async () => {
    const { gate, agent, config } = await twoWaiting()
    expect(await resolveInterrupts(agent().graph as never, config, { gate })).toMatchObject({
      command: undefined,
      waiting: [{ tool: 'refund' }, { tool: 'refund' }],
    })
    await gate.decide('approve')
    const { command, waiting } = await resolveInterrupts(agent() as never, config, { gate })
    expect(command).toBeInstanceOf(Command)
    expect(Object.values(command?.resume as object)).toEqual([
      { type: 'silentauth.gate/v1', intentId: gate.intents[0]?.id },
    ])
    expect(isGateInterrupt(Object.values(command?.resume as object)[0])).toBe(true)
    expect(waiting).toHaveLength(1)
  })

  it('is none while another process runs the call', async () => {
    const { gate, agent, config, resume, execute } = await twoWaiting()
    let release: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    execute.mockImplementation(((amount: number) => held.then(() => `refunded ${amount}`)) as never)
    await gate.decide('approve')
    const running = resume()
    await vi.waitFor(() => expect(execute).toHaveBeenCalled())
    expect((await resolveInterrupts(agent() as never, config, { gate })).command).toBeUndefined()
    release()
    await running
  })

  it('cannot be made while the gate is away', async () => {
    const { gate, agent, config } = await twoWaiting()
    const away = Object.create(gate, { read: { value: () => Promise.reject(new TypeError('fetch failed')) } })
    await expect(resolveInterrupts(agent() as never, config, { gate: away })).rejects.toThrow('fetch failed')
  })
})
