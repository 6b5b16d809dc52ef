import { gateTools, isGated } from '@silentauth/ai-sdk'
import { approvingGate, denyingGate } from '@silentauth/core/testing'
import { tool } from 'ai'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'

const named = (execute = vi.fn(async () => 'ok')) => tool({ inputSchema: z.object({}), execute })
const tools = () => ({ delete_file: named(), delete_all: named(), read_file: named(), search: named() })
const call = { toolCallId: 'call_1', messages: [] } as never
const gatedOf = (set: object) => Object.values(set).map(isGated)

describe('rules', () => {
  it('gate everything that they do not name', () => {
    expect(gatedOf(gateTools(tools(), { gate: approvingGate() }))).toEqual([true, true, true, true])
  })

  it('are globs over names; the first that matches holds', () => {
    const rules = { delete_file: 'pass', 'delete_*': 'gate', '*': 'pass' } as const
    expect(gatedOf(gateTools(tools(), { gate: approvingGate(), rules }))).toEqual([false, true, false, false])
  })

  it('leave what passes as it is', () => {
    const set = tools()
    const passed = gateTools(set, { gate: approvingGate(), default: 'pass' })
    expect(passed.search).toBe(set.search)
  })

  it('give a tool options of its own, over the common ones', async () => {
    const gate = approvingGate()
    const rules = { 'delete_*': { riskTier: 'critical', action: 'destroy' } } as const
    const { a, delete_b } = gateTools({ a: named(), delete_b: named() }, { gate, riskTier: 'low', rules })
    await a.execute?.({}, call)
    await delete_b.execute?.({}, call)
    expect(gate.intents.map(({ action, riskTier }) => [action, riskTier])).toEqual([
      ['a', 'low'],
      ['destroy', 'critical'],
    ])
  })

  it('deny a tool, gated already or not: the model is told, and nobody is asked', async () => {
    const gate = approvingGate()
    const execute = vi.fn(async () => 'ok')
    const set = gateTools({ delete_all: named(execute) }, { gate })
    const denied = gateTools(set, { gate, rules: { 'delete_*': 'deny' } })
    expect(await denied.delete_all.execute?.({}, call)).toMatchObject({ code: 'FORBIDDEN' })
    const thrown = gateTools(set, { gate, default: 'deny', onDenied: 'throw' })
    await expect(thrown.delete_all.execute?.({}, call)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect([gate.intents, execute.mock.calls]).toEqual([[], []])
  })

  it('keep a gated tool as it is', () => {
    const gated = gateTools(tools(), { gate: denyingGate() })
    expect(gateTools(gated, { gate: approvingGate() }).search).toBe(gated.search)
  })
})

describe('what is refused', () => {
  const gate = approvingGate()
  it.each<[string, object, object]>([
    ['two tools with one action', { sendMail: named(), send_mail: named() }, {}],
    ['two tools with one action, by a rule', { a: named(), b: named() }, { rules: { '*': { action: 'act' } } }],
    ['a rule for a tool that is not there', { refund: named() }, { rules: { refnud: 'gate' }, default: 'pass' }],
    ['a default that is none', { refund: named() }, { default: 'allow' }],
    ['a tool without execute', { ask: tool({ inputSchema: z.object({}) }) }, {}],
    ['a tool without execute, denied', { ask: tool({ inputSchema: z.object({}) }) }, { rules: { ask: 'deny' } }],
  ])('%s', (_, set, options) => {
    expect(() => gateTools(set as never, { gate, ...options } as never)).toThrow(TypeError)
  })
})
