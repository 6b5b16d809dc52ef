import {
  Agent,
  type Computer,
  computerTool,
  type Editor,
  RunContext,
  run,
  type Shell,
  setTracingDisabled,
  shellTool,
} from '@openai/agents'
import { assistantMessage, ScriptedModel } from '@openai/agents/testing'
import type { Gate } from '@silentauth/core'
import { approvingGate, scriptedGate } from '@silentauth/core/testing'
import { currentPermit, gateComputer, gateEditor, gateShell, runWithGate } from '@silentauth/openai/agents'
import { describe, expect, it, vi } from 'vitest'
import { gateWith } from './refund-scene.js'

setTracingDisabled(true)

class CountingShell implements Shell {
  #ran = 0
  get ran() {
    return this.#ran
  }
  async run({ commands }: Parameters<Shell['run']>[0]) {
    this.#ran++
    const stdout = `${commands.join()} with ${currentPermit()?.action}`
    return { output: [{ stdout, stderr: '', outcome: { type: 'exit' as const, exitCode: 0 } }] }
  }
}

const shellCall = { type: 'shell_call', callId: 'c1', status: 'completed', action: { commands: ['rm -r backups'] } }

it.each([
  ['approve', 1, 'rm -r backups with shell'],
  ['deny', 0, 'was denied'],
] as const)('commands of a shell are asked for: %s', async (decision, ran, said) => {
  const gate = scriptedGate([decision])
  const shell = gateShell(new CountingShell(), { gate })
  const model = new ScriptedModel([[shellCall as never], [assistantMessage('done')]])
  const result = await run(new Agent({ name: 'a', model, tools: [shellTool({ shell })] }), 'hi')
  expect([result.finalOutput, shell.ran]).toEqual(['done', ran])
  expect(gate.intents).toMatchObject([{ action: 'shell', params: { commands: ['rm -r backups'] } }])
  const seen = JSON.stringify(model.lastCall?.request.input)
  expect(seen).toContain(said)
  expect(seen).not.toContain('eyJ')
})

it('an editor asks for each file', async () => {
  const gate = scriptedGate(['approve', { deny: 'keep it' }])
  const editor: Editor = { createFile: vi.fn(), updateFile: vi.fn(), deleteFile: vi.fn() }
  const gated = gateEditor(editor, { gate })
  await gated.createFile({ type: 'create_file', path: 'a.txt', diff: '+a' })
  expect(await gated.deleteFile({ type: 'delete_file', path: 'b.txt' })).toMatchObject({
    status: 'failed',
    output: expect.stringContaining('keep it'),
  })
  expect(gate.intents.map(({ action }) => action)).toEqual(['create_file', 'delete_file'])
  expect(editor.createFile).toHaveBeenCalledOnce()
  expect(editor.deleteFile).not.toHaveBeenCalled()
})

it('a computer may look, and asks for the rest', async () => {
  const gate = scriptedGate(['approve', 'deny'])
  const computer = { screenshot: vi.fn(() => 'png'), click: vi.fn(), type: vi.fn() }
  const gated = gateComputer(computer as unknown as Computer, { gate })
  expect(await gated.screenshot()).toBe('png')
  await gated.click(1, 2, 'left', { context: {} } as never)
  await expect(gated.type('yes')).rejects.toMatchObject({ code: 'INTENT_DENIED' })
  expect(gate.intents).toMatchObject([
    { action: 'computer_click', params: { arguments: [1, 2, 'left'] } },
    { action: 'computer_type', params: { arguments: ['yes'] } },
  ])
  expect([computer.click.mock.calls.length, computer.type.mock.calls.length]).toEqual([1, 0])
})

it('what can only wait in a process does not suspend', () => {
  expect(() => gateShell(new CountingShell(), { gate: approvingGate(), wait: 'suspend' } as never)).toThrow(TypeError)
})

describe('what is changed while it waits', () => {
  /** Approved only after the caller's own object was changed. */
  const changing = (change: () => void) => {
    const gate = scriptedGate(['approve'])
    const claim: Gate['claim'] = async (...given) => {
      change()
      return gate.claim(...given)
    }
    return gateWith(gate, { claim })
  }
  const projection = { params: (given: unknown) => ({ shown: JSON.stringify(given) }) }

  it.each([
    ['as it is', {}],
    ['with params', projection],
  ])('the path of a drag does not run: %s', async (_, options) => {
    const path: [number, number][] = [
      [1, 1],
      [2, 2],
    ]
    const drag = vi.fn()
    const gate = changing(() => path.push([9, 9]))
    const gated = gateComputer({ screenshot: () => 'png', drag } as unknown as Computer, { gate, ...options })
    await gated.drag(path)
    expect(drag).toHaveBeenCalledExactlyOnceWith([
      [1, 1],
      [2, 2],
    ])
  })

  it.each([
    ['as it is', {}],
    ['with params', projection],
  ])('the commands of a shell do not run: %s', async (_, options) => {
    const action = { commands: ['ls'] }
    const run = vi.fn(async () => ({ output: [] }))
    const gate = changing(() => action.commands.push('rm -r /'))
    await gateShell({ run } as Shell, { gate, ...options }).run(action)
    expect(run).toHaveBeenCalledExactlyOnceWith({ commands: ['ls'] })
  })
})

it('an argument of a computer that is an object is shown, too, but for the context of the run', async () => {
  const gate = scriptedGate(['approve'])
  const click = vi.fn()
  const gated = gateComputer({ screenshot: () => 'png', click } as unknown as Computer, { gate })
  const context = new RunContext()
  await gated.click(1, 2, { keys: ['CTRL'] } as never, context)
  expect(gate.intents).toMatchObject([{ params: { arguments: [1, 2, { keys: ['CTRL'] }] } }])
  expect(click).toHaveBeenCalledExactlyOnceWith(1, 2, { keys: ['CTRL'] }, context)
})

it.each<[string, unknown]>([
  ['a tool', computerTool({ computer: { screenshot: () => 'png' } as unknown as Computer })],
  ['what makes one', () => ({ screenshot: () => 'png' })],
  ['what makes and disposes of one', { create: () => ({ screenshot: () => 'png' }), dispose: () => undefined }],
])('%s is no computer, and is not taken for a gated one', (_, given) => {
  expect(() => gateComputer(given as Computer, { gate: approvingGate() })).toThrow(TypeError)
})

it.each<[string, (gate: Gate) => unknown]>([
  ['a shell', (gate) => gateShell((() => undefined) as never, { gate })],
  ['an editor', (gate) => gateEditor((() => undefined) as never, { gate })],
  ['a shell of a computer', (gate) => gateShell({ screenshot: () => 'png' } as never, { gate })],
])('what is not %s is not taken for a gated one', (_, make) => {
  expect(() => make(approvingGate())).toThrow(TypeError)
})

it('a condition that forgets to answer lets nothing through', async () => {
  const gate = scriptedGate(['deny'])
  const shell = gateShell(new CountingShell(), { gate, when: (() => undefined) as never })
  await shell.run({ commands: ['ls'] })
  expect([gate.intents.length, shell.ran]).toEqual([1, 0])
})

it('an abort of a run under the driver cancels what a shell waits for, and an approval after it runs nothing', async () => {
  const stop = new AbortController()
  const gate = scriptedGate(['wait'])
  const onEvent = ({ type }: { type: string }) => type === 'pending' && stop.abort()
  const shell = gateShell(new CountingShell(), { gate, onEvent })
  const model = new ScriptedModel([[shellCall as never], [assistantMessage('done')]])
  const agent = new Agent({ name: 'a', model, tools: [shellTool({ shell })] })
  const envelopeKeys = [crypto.getRandomValues(new Uint8Array(32))]
  await expect(runWithGate(agent, 'hi', { gate, envelopeKeys, run: { signal: stop.signal } })).rejects.toThrow()
  await vi.waitUntil(async () => (await gate.read(gate.intents[0]?.id as never)).status !== 'pending')
  expect(await gate.read(gate.intents[0]?.id as never)).toMatchObject({ status: 'cancelled' })
  expect(shell.ran).toBe(0)
})
