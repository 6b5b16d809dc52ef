import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const FOLDER = path.join(import.meta.dirname, '..')

/** Runs in a process of its own, with the package as it is built. */
async function printed(kind: 'commonjs' | 'module', program: string): Promise<unknown> {
  const args = [`--input-type=${kind}`, '--eval', program]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: FOLDER })
  return JSON.parse(stdout)
}

/** A run that waits, is kept, and goes on: the SDK takes no state of its other build. */
const BODY = `
  setTracingDisabled(true)
  const ran = []
  const model = new ScriptedModel([
    [functionCall('issue_refund', { amount: 250 }, { callId: 'c1' })],
    [assistantMessage('done')],
  ])
  const refund = tool({
    name: 'issue_refund',
    description: 'd',
    parameters: z.object({ amount: z.number() }),
    execute: ({ amount }) => ran.push([amount, currentPermit({ action: 'issue_refund' }).params.amount]),
  })
  const main = async () => {
    const gate = scriptedGate(['wait'])
    const agent = () => new Agent({ name: 'a', model, tools: [gateTool(refund, { gate, wait: 'suspend' })] })
    const options = { gate, envelopeKeys: ['k'.repeat(32)] }
    const { suspended } = await runWithGate(agent(), 'hi', options)
    await gate.decide('approve')
    const { status, result } = await runWithGate(agent(), JSON.parse(JSON.stringify(suspended)), options)
    console.log(JSON.stringify({ status, output: result.finalOutput, ran, plain: typeof gateRunnableTool }))
  }
  main().catch((error) => {
    console.error(error)
    process.exitCode = 1
  })
`
const NAMES: readonly (readonly [names: string, from: string])[] = [
  ['Agent, setTracingDisabled, tool', '@openai/agents'],
  ['assistantMessage, functionCall, ScriptedModel', '@openai/agents/testing'],
  ['currentPermit, gateTool, runWithGate', '@silentauth/openai/agents'],
  ['gateRunnableTool', '@silentauth/openai'],
  ['scriptedGate', '@silentauth/core/testing'],
  ['z', 'zod'],
]

it.each([
  ['require', 'commonjs', (names: string, from: string) => `const { ${names} } = require('${from}')`],
  ['import', 'module', (names: string, from: string) => `import { ${names} } from '${from}'`],
] as const)('P30: a run suspends and goes on in a program that %ss the built package', async (_, kind, line) => {
  const program = `${NAMES.map(([names, from]) => line(names, from)).join('\n')}\n${BODY}`
  expect(await printed(kind, program)).toEqual({
    status: 'completed',
    output: 'done',
    ran: [[250, 250]],
    plain: 'function',
  })
})

it('P30: a tool that was gated by the one build is known to be gated by the other', async () => {
  const program = `
    const { tool } = require('@openai/agents')
    const required = require('@silentauth/openai/agents')
    const { approvingGate } = require('@silentauth/core/testing')
    const made = tool({ name: 'a', description: 'd', strict: false, parameters: { type: 'object', properties: {}, required: [], additionalProperties: true }, execute: () => 'ran' })
    const gated = required.gateTool(made, { gate: approvingGate() })
    import('@silentauth/openai/agents').then((imported) => {
      console.log(JSON.stringify([imported.gateTool === required.gateTool, imported.isGated(gated)]))
    })
  `
  expect(await printed('commonjs', program)).toEqual([false, true])
})
