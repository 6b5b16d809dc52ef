import { Agent, type Computer, type Editor, run, type Shell, setTracingDisabled, shellTool } from '@openai/agents'
import { assistantMessage, ScriptedModel } from '@openai/agents/testing'
import { approvingGate, scriptedGate } from '@silentauth/core/testing'
import { currentPermit, gateComputer, gateEditor, gateShell } from '@silentauth/openai/agents'
import { expect, it, vi } from 'vitest'

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
