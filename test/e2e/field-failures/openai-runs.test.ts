/**
 * What somebody does who can write to where suspended runs of the OpenAI Agents SDK are kept, and what an approval "for good"
 * lets through. The stock SDK pays out; with gated tools the same approvals and states run nothing.
 */
import { Agent, OpenAIChatCompletionsModel, RunState, run, setTracingDisabled, tool } from '@openai/agents'
import { gateTool, resolveInterruptions, runWithGate, type SuspendedRun, withGateRun } from '@silentauth/openai/agents'
import OpenAI from 'openai'
import { expect, it, vi } from 'vitest'
import { z } from 'zod'
import { type ScriptedOpenai, scriptedOpenai } from '../../../examples/demo/scripted-openai.ts'
import { describeFailure } from './failures.ts'
import { aField, type Field, told } from './field.ts'

setTracingDisabled(true)

const call = (amount: number, id: string) => ({ name: 'issue_refund', args: { amount }, id })

/** An agent that pays back 250, or the amounts that are given, one per turn; made anew each time, as in another process. */
async function aScene(gated?: Pick<Field, 'gate'> & { wait: 'suspend' }, amounts: readonly number[] = [250]) {
  const turns = amounts.map((amount, index) => ({ calls: [call(amount, `call_${index}`)] }))
  // A run that is resumed again asks the model again.
  const openai = await scriptedOpenai((_, index) => turns[index] ?? { text: 'All done.' })
  const pay = vi.fn((amount: number) => `paid ${amount}`)
  const agent = () => {
    const refund = tool({
      name: 'issue_refund',
      description: 'pays back',
      parameters: z.object({ amount: z.number() }),
      needsApproval: gated === undefined,
      execute: ({ amount }) => pay(amount),
    })
    const client = new OpenAI({ apiKey: openai.apiKey, baseURL: openai.url, maxRetries: 0 })
    const model = new OpenAIChatCompletionsModel(client as never, 'scripted-model')
    return new Agent({ name: 'refunds', model, tools: [gated ? gateTool(refund, gated) : refund] })
  }
  return { agent, pay, openai, seen: () => seenBy(openai), [Symbol.asyncDispose]: () => openai[Symbol.asyncDispose]() }
}

function seenBy({ requests }: ScriptedOpenai): string {
  return JSON.stringify(
    requests
      .at(-1)
      ?.messages.filter(({ role }) => role === 'tool')
      .map(({ content }) => content),
  )
}

/** As an application keeps it: a text. */
async function envelopeOf(scene: Awaited<ReturnType<typeof aScene>>, { gate }: Field): Promise<string> {
  const outcome = await runWithGate(scene.agent(), 'go on', { gate })
  if (outcome.status !== 'suspended') throw new Error('it did not wait')
  return JSON.stringify(outcome.suspended)
}

describeFailure('F8: an approval that other arguments ride on', () => {
  it('pays out with the stock SDK: approved for 250, and always', async () => {
    await using stock = await aScene(undefined, [250, 9999])
    const result = await run(stock.agent(), 'go on')
    result.state.approve(result.interruptions[0] as never, { alwaysApprove: true })
    await run(stock.agent(), result.state)
    expect(stock.pay.mock.calls).toEqual([[250], [9999]])
  })

  it('is asked for each call, whatever was approved for good', async () => {
    await using field = await aField()
    await using scene = await aScene({ gate: field.gate, wait: 'suspend' }, [250, 9999])
    const runKey = crypto.randomUUID()
    const go = <Input>(input: Input) =>
      withGateRun({ runKey, input: input as never }, (given) => run(scene.agent(), given))
    const result = await go('go on')
    await field.approve(await field.waiting())
    result.state.approve(result.interruptions[0] as never, { alwaysApprove: true })
    await go(result.state)
    expect(scene.seen()).toContain(told('NOT_FOUND'))
    expect(scene.pay.mock.calls).toEqual([[250]])
    expect(await field.intents()).toEqual(['issue_refund 250 approved succeeded'])
  })
})

describeFailure('a run state that was changed', () => {
  /** By somebody who can read and write where it is kept, and has the SDK. */
  const written = async (agent: Agent, state: string): Promise<string> => {
    const changed = await RunState.fromString(agent, state.replaceAll('250', '9999'))
    for (const interruption of changed.getInterruptions()) changed.approve(interruption)
    return changed.toString()
  }

  it('pays out with the stock SDK, which nobody approved anything in', async () => {
    await using stock = await aScene()
    const { state } = await run(stock.agent(), 'go on')
    const changed = await written(stock.agent(), state.toString())
    await run(stock.agent(), await RunState.fromString(stock.agent(), changed))
    expect(stock.pay.mock.calls).toEqual([[9999]])
  })

  it.each<[string, (envelope: SuspendedRun, agent: Agent) => SuspendedRun | Promise<SuspendedRun>]>([
    [
      'its arguments and approvals',
      async (envelope, agent) => {
        const record = JSON.parse(envelope.body) as { state: string }
        return { ...envelope, body: JSON.stringify({ ...record, state: await written(agent, record.state) }) }
      },
    ],
    ['what it waits for', (envelope) => ({ ...envelope, pending: [] })],
    ['its seal', ({ mac: _, ...envelope }) => envelope as SuspendedRun],
  ])('is refused: %s', async (_, change) => {
    await using field = await aField()
    await using scene = await aScene({ gate: field.gate, wait: 'suspend' })
    const kept = await envelopeOf(scene, field)
    await field.approve(await field.waiting())
    const changed = await change(JSON.parse(kept), scene.agent())
    const resumed = runWithGate(scene.agent(), changed, field)
    await expect(resumed).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect([scene.pay.mock.calls, await field.intents()]).toEqual([[], ['issue_refund 250 approved none']])
  })

  it('is refused in a loop of your own', async () => {
    await using field = await aField()
    await using scene = await aScene({ gate: field.gate, wait: 'suspend' })
    const runKey = crypto.randomUUID()
    const { state } = await withGateRun({ runKey, input: 'go on' }, (input) => run(scene.agent(), input))
    await field.approve(await field.waiting())
    const changed = await RunState.fromString(scene.agent(), await written(scene.agent(), state.toString()))
    await resolveInterruptions({ state: changed, interruptions: changed.getInterruptions() }, { runKey })
    await withGateRun({ runKey, input: changed }, (input) => run(scene.agent(), input as never))
    expect(scene.seen()).toContain(told('IDEMPOTENCY_MISMATCH', 'issue_refund'))
    expect([scene.pay.mock.calls, await field.intents()]).toEqual([[], ['issue_refund 250 approved none']])
  })
})

describeFailure('a run that is resumed twice', () => {
  it('pays out twice with the stock SDK', async () => {
    await using stock = await aScene()
    const { state, interruptions } = await run(stock.agent(), 'go on')
    state.approve(interruptions[0] as never)
    const kept = state.toString()
    for (let time = 0; time < 2; time++) await run(stock.agent(), await RunState.fromString(stock.agent(), kept))
    expect(stock.pay.mock.calls).toEqual([[250], [250]])
  })

  it.each(['one after the other', 'at once'])('pays out once: %s', async (when) => {
    await using field = await aField()
    await using scene = await aScene({ gate: field.gate, wait: 'suspend' })
    const kept = await envelopeOf(scene, field)
    await field.approve(await field.waiting())
    const resume = () => runWithGate(scene.agent(), JSON.parse(kept) as SuspendedRun, field)
    if (when === 'at once') await Promise.all([resume(), resume()])
    else await resume()
    await resume()
    expect(scene.seen()).toContain(told('ALREADY_EXECUTED', 'issue_refund'))
    expect([scene.pay.mock.calls, await field.intents()]).toEqual([[[250]], ['issue_refund 250 approved succeeded']])
  })
})
