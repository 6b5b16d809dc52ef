/**
 * Nothing of a real client leaks, over HTTP: while its gate answers, and when it is gone, no adapter shows the client's key or a
 * permit to a model, a trace, a stream, what is persisted, an event, or whoever gets the error.
 */
import path from 'node:path'
import { currentPermit, type Gate, type GateEvent } from '@silentauth/core'
import { type AdapterDriver, type AgentEnd, reachableText, type SuspendDriver } from '@silentauth/core/contracts'
import { SilentAuth } from '@silentauth/sdk'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { holdDriver as aiSdkHold } from '../../packages/ai-sdk/test/hold-driver.ts'
import { SDKS } from '../../packages/ai-sdk/test/sdk.ts'
import { suspendDriver as aiSdkSuspend } from '../../packages/ai-sdk/test/suspend-driver.ts'
import { holdDriver as langchainHold } from '../../packages/langchain/test/hold-driver.ts'
import { suspendDriver as langgraphSuspend } from '../../packages/langchain/test/suspend-driver.ts'
import { holdDriver as openaiHold } from '../../packages/openai/test/hold-driver.ts'
import { plainHoldDriver } from '../../packages/openai/test/plain-hold-driver.ts'
import { plainSuspendDriver } from '../../packages/openai/test/plain-suspend-driver.ts'
import { suspendDriver as openaiSuspend } from '../../packages/openai/test/suspend-driver.ts'
import { aField } from './field-failures/field.ts'

const DRIVERS: [string, AdapterDriver | SuspendDriver][] = [
  ['LangChain.js, hold', langchainHold],
  ['LangGraph.js, suspend', langgraphSuspend],
  ...SDKS.flatMap((sdk): [string, AdapterDriver | SuspendDriver][] => [
    [`${sdk.name}, hold`, aiSdkHold(sdk)],
    [`${sdk.name}, suspend`, aiSdkSuspend(sdk)],
  ]),
  ['OpenAI Agents SDK, hold', openaiHold],
  ['OpenAI Agents SDK, suspend', openaiSuspend],
  ['openai client, hold', plainHoldDriver],
  ['openai client, suspend', plainSuspendDriver],
]

/** An agent that pays back 250, where `decide` says whether it may. */
async function played(driver: AdapterDriver | SuspendDriver, gate: Gate, tell: boolean, decide: () => Promise<void>) {
  const events: GateEvent[] = []
  const permits: string[] = []
  const run = {
    gate,
    tools: [
      {
        name: 'issue_refund',
        gated: true,
        kind: 'plain' as const,
        schema: z.object({ customer_id: z.string(), amount: z.number() }),
        async execute() {
          const token = currentPermit({ action: 'issue_refund' })?.token ?? 'no permit'
          permits.push(token.slice(token.lastIndexOf('.') + 1))
          return tell ? `refunded with ${token}` : 'refunded'
        },
      },
    ],
    turns: [
      { calls: [{ id: 'call_1', name: 'issue_refund', args: { customer_id: 'cust_4821', amount: 250 } }] },
      { text: 'All done.' },
    ],
    thread: crypto.randomUUID(),
    options: {
      wait: 'start' in driver ? ('suspend' as const) : ('hold' as const),
      onEvent: (event: GateEvent) => events.push(event),
    },
    streaming: true,
    signal: new AbortController().signal,
    repeats: [],
  }
  let end: AgentEnd
  if ('start' in driver) {
    await using suspended = await driver.start(run)
    await decide()
    if (await suspended.isWaiting()) await suspended.resume()
    end = await suspended.end()
  } else {
    ;[end] = await Promise.all([driver.run(run), decide()])
  }
  return { end, permits, seen: reachableText([end.observed, end.error, end.answer, events]) }
}

describe.each(DRIVERS)('%s', (_, driver) => {
  it.each([
    ['nothing leaks, approved by a person', false],
    ['the control: a tool that tells its permit is seen to', true],
  ])('%s', async (_, tell) => {
    await using field = await aField()
    const approve = async () => field.approve(await field.waiting())
    const { permits, seen } = await played(driver, field.gate, tell, approve)
    expect(permits).toHaveLength(1)
    const [permit] = permits as [string]
    expect([permit.length > 300, seen.includes(permit), seen.includes(field.server.secretKey)]).toEqual([
      true,
      tell,
      false,
    ])
  })

  it('nothing leaks when the gate is gone', async () => {
    await using field = await aField()
    await using gate = new SilentAuth({ dataFolder: path.dirname(field.keys), retryForMs: 0 })
    await field.server.close()
    const { end, permits, seen } = await played(driver, gate, false, async () => {})
    expect(permits).toEqual([])
    expect([end.observed.requests !== undefined, seen.includes(field.server.secretKey)]).toEqual([true, false])
  })
})
