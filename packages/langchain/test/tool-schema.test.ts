import { approvingGate, scriptedGate } from '@silentauth/core/testing'
import { gateTool } from '@silentauth/langchain'
import { tool } from 'langchain'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { z as z3 } from 'zod/v3'
import { toolCall } from './refund-tool.ts'

const day = new Date('2026-03-16T00:00:00.000Z')

/** What approvers were shown, and what the tool got. */
async function shownAndRun(schema: unknown, args: Record<string, unknown>, options: object = {}) {
  const gate = approvingGate()
  const execute = vi.fn(async (_: unknown) => 'ok')
  const plain = tool(execute as never, { name: 'pay', schema: schema as never })
  await gateTool(plain, { gate, ...options }).invoke(toolCall('pay', args) as never)
  return { shown: gate.intents[0]?.params, ran: execute.mock.calls[0]?.[0] }
}

describe('pitfall P5: the arguments that are shown', () => {
  it.each<[string, unknown, Record<string, unknown>, object, unknown]>([
    ['have the defaults', z.object({ amount: z.number().default(100) }), {}, { amount: 100 }, { amount: 100 }],
    ['have the types that the tool gets', z.object({ n: z.coerce.number() }), { n: '5' }, { n: 5 }, { n: 5 }],
    ['lack what the schema drops', z.object({ n: z.number() }), { n: 5, note: 'x' }, { n: 5 }, { n: 5 }],
    [
      'are as the model gave them, with the defaults, where the tool gets a date',
      z.object({ when: z.coerce.date(), amount: z.number().default(100) }),
      { when: '2026-03-16' },
      { when: '2026-03-16', amount: 100 },
      { when: day, amount: 100 },
    ],
    [
      'are as the model gave them where parsing once more would make something else of them',
      z.object({ cents: z.number().transform((amount) => amount * 100) }),
      { cents: 5 },
      { cents: 5 },
      { cents: 500 },
    ],
    [
      'lack a default that would become something else when it is parsed',
      z.object({
        when: z.coerce.date(),
        cents: z
          .number()
          .default(1)
          .transform((amount) => amount * 100),
      }),
      { when: '2026-03-16' },
      { when: '2026-03-16' },
      { when: day, cents: 100 },
    ],
    ['of a zod 3 schema', z3.object({ n: z3.number().default(1) }), {}, { n: 1 }, { n: 1 }],
    [
      'of a JSON schema',
      { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
      { n: 5, note: 'x' },
      { n: 5, note: 'x' },
      { n: 5, note: 'x' },
    ],
  ])('%s', async (_, schema, args, shown, ran) => {
    expect(await shownAndRun(schema, args)).toEqual({ shown, ran })
  })

  it('are what params() makes of them', async () => {
    const params = ({ to }: { to: string }) => ({ recipient: to })
    const { shown, ran } = await shownAndRun(
      z.object({ to: z.string(), body: z.string() }),
      { to: 'a@example.com', body: 'hello' },
      { params },
    )
    expect(shown).toEqual({ recipient: 'a@example.com' })
    expect(ran).toEqual({ to: 'a@example.com', body: 'hello' })
  })
})

describe('a call does not run', () => {
  async function refused(schema: unknown, input: Record<string, unknown>, options: object) {
    const execute = vi.fn(async () => 'ok')
    const plain = tool(execute as never, { name: 'pay', schema: schema as never })
    const message: unknown = await gateTool(plain, { gate: approvingGate(), ...options } as never).invoke(
      toolCall('pay', input) as never,
    )
    return { message, execute }
  }

  it('when its arguments are no plain JSON, which nobody can be shown', async () => {
    const { message, execute } = await refused(z.object({ when: z.date() }), { when: day }, {})
    expect(message).toMatchObject({ status: 'error', artifact: { code: 'PARAMS_NOT_CANONICAL' } })
    expect(execute).not.toHaveBeenCalled()
  })

  it('when params() gives other params than were approved', async () => {
    let calls = 0
    const params = () => ({ call: ++calls })
    const { message, execute } = await refused(z.object({ n: z.number() }), { n: 5 }, { params })
    expect(message).toMatchObject({ status: 'error', artifact: { code: 'PERMIT_PARAMS' } })
    expect(execute).not.toHaveBeenCalled()
  })

  it('when the edited arguments are not what its schema takes', async () => {
    const even = z.object({ n: z.number().refine((n) => n % 2 === 0) })
    const { message, execute } = await refused(
      even,
      { n: 4 },
      { gate: scriptedGate([{ edit: { n: 5 } }]), allowEdits: true },
    )
    expect(message).toMatchObject({ status: 'error', artifact: { code: 'EDITS_NOT_ACCEPTED' } })
    expect(execute).not.toHaveBeenCalled()
  })
})

describe('edited arguments', () => {
  it('are parsed by the schema before the tool gets them', async () => {
    const schema = z.object({ when: z.iso.date().transform((text) => new Date(text)) })
    const { ran } = await shownAndRun(
      schema,
      { when: '2020-01-01' },
      { gate: scriptedGate([{ edit: { when: '2026-03-16' } }]), allowEdits: true },
    )
    expect(ran).toEqual({ when: day })
  })

  it('need a schema that can be sent to the gate', () => {
    const plain = tool(async () => 'ok', { name: 'pay', schema: z.object({ when: z.date() }) })
    expect(() => gateTool(plain, { gate: approvingGate(), allowEdits: true })).toThrow(TypeError)
  })
})
