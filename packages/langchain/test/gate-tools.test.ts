import { approvingGate, denyingGate } from '@silentauth/core/testing'
import { gateTool, gateTools, isGated } from '@silentauth/langchain'
import { tool } from 'langchain'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { agentThatCalls, hi, toolCall, toolMessages } from './refund-tool.ts'

const named = (name: string, execute = vi.fn(async () => 'ok')) => tool(execute, { name, schema: z.object({}) })
const tools = () => [named('delete_file'), named('delete_all'), named('read_file'), named('search')] as const

describe('rules', () => {
  it('gate everything that they do not name', () => {
    expect(gateTools(tools(), { gate: approvingGate() }).map(isGated)).toEqual([true, true, true, true])
  })

  it('are globs over names; the first that matches holds', () => {
    const gated = gateTools(tools(), {
      gate: approvingGate(),
      rules: { delete_file: 'pass', 'delete_*': 'gate', '*': 'pass' },
    })
    expect(gated.map(isGated)).toEqual([false, true, false, false])
  })

  it('leave what passes as it is', () => {
    const list = tools()
    expect(gateTools(list, { gate: approvingGate(), default: 'pass' })).toEqual(list)
  })

  it('give a tool options of its own, over the common ones', async () => {
    const gate = approvingGate()
    const [first, second] = gateTools([named('delete_file'), named('read_file')], {
      gate,
      riskTier: 'low',
      rules: { 'delete_*': { riskTier: 'critical', action: 'destroy' } },
    })
    await first.invoke({})
    await second.invoke({})
    expect(gate.intents.map(({ action, riskTier }) => [action, riskTier])).toEqual([
      ['destroy', 'critical'],
      ['read_file', 'low'],
    ])
  })

  it('deny a tool: the model is told, and nobody is asked', async () => {
    const gate = approvingGate()
    const execute = vi.fn(async () => 'ok')
    const denied = gateTools([named('delete_all', execute)], { gate, rules: { 'delete_*': 'deny' } })
    const end = await agentThatCalls([{ name: 'delete_all', args: {}, id: 'c1' }], { tools: denied }).invoke(hi)
    expect(toolMessages(end)).toEqual([['error', expect.stringContaining('FORBIDDEN')]])
    expect(gate.intents).toEqual([])
    expect(execute).not.toHaveBeenCalled()
  })

  it('deny also a tool that is gated already', async () => {
    const gate = approvingGate()
    const [denied] = gateTools([gateTool(named('delete_all'), { gate })], { gate, default: 'deny' })
    const call = toolCall('delete_all', {})
    await expect(denied.invoke(call)).resolves.toMatchObject({ artifact: { code: 'FORBIDDEN' } })
  })

  it('throw a denial where that was asked for', async () => {
    const [denied] = gateTools([named('delete_all')], { gate: approvingGate(), default: 'deny', onDenied: 'throw' })
    await expect(denied.invoke({})).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('keep a gated tool as it is', () => {
    const gated = gateTool(named('read_file'), { gate: denyingGate() })
    expect(gateTools([gated], { gate: approvingGate() })[0]).toBe(gated)
  })
})

describe('what is refused', () => {
  const gate = approvingGate()
  const provided = { type: 'web_search_preview', name: 'web_search' }

  it.each<[string, readonly object[], object]>([
    ['two tools with one action', [named('sendMail'), named('send_mail')], {}],
    ['two tools with one action, by a rule', [named('a'), named('b')], { rules: { '*': { action: 'act' } } }],
    ['a rule for a tool that is not there', [named('refund')], { rules: { refnud: 'gate' }, default: 'pass' }],
    ['a rule that is none', [named('refund')], { rules: { refund: true } }],
    ['a default that is none', [named('refund')], { default: 'allow' }],
    ['a tool of the provider, gated', [provided], {}],
    ['a tool of the provider, denied', [provided], { rules: { web_search: 'deny' } }],
    ['a tool of the provider without a name', [{ type: 'web_search_preview' }], {}],
  ])('%s', (_, list, options) => {
    expect(() => gateTools(list, { gate, ...options } as never)).toThrow(TypeError)
  })

  it('not a tool of the provider that passes', () => {
    expect(gateTools([provided], { gate, rules: { 'web_*': 'pass' } })).toEqual([provided])
  })

  it('not two tools with one action of which one passes', () => {
    const list = [named('sendMail'), named('send_mail')]
    expect(gateTools(list, { gate, rules: { sendMail: 'pass' } }).map(isGated)).toEqual([false, true])
  })
})
