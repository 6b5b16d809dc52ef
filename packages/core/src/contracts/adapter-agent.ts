/**
 * The tools of the agent that plays the scenarios. They do nothing but say when they ran, and whether with a permit for
 * exactly what they were given.
 *
 * @module
 */
import { z } from 'zod'
import { currentPermit } from '../current-permit.js'
import { snapshot } from '../params.js'
import type { AgentTool } from './adapter-driver.js'
import type { Scenario } from './adapter-scenario.js'
import type { Stage } from './adapter-stage.js'

export interface RefundAgent {
  readonly tools: readonly AgentTool[]
  /** The amount of each refund, or what was wrong with its permit. */
  readonly ran: readonly (number | string)[]
}

/** JSON Schema cannot say the last rule, so only the tool's own schema can refuse for it. */
const refundSchema = z.object({
  customer_id: z.string(),
  amount: z
    .number()
    .positive()
    .refine((amount) => Number.isInteger(amount * 100), 'whole cents'),
})

export function refundAgent(stage: Stage, { kind = 'plain', during, toolTimeoutMs }: Scenario): RefundAgent {
  const ran: (number | string)[] = []
  const text = (args: unknown, name: string): string => refundSchema.parse(args) && name
  return {
    ran,
    tools: [
      {
        name: 'issue_refund',
        gated: true,
        kind,
        timeoutMs: toolTimeoutMs,
        schema: refundSchema,
        async execute(args) {
          const { amount } = refundSchema.parse(args)
          const permit = currentPermit({ action: 'issue_refund' })
          const bound = permit && snapshot(permit.params).digest === snapshot(args).digest
          ran.push(bound ? amount : `${amount} without a permit for it`)
          const said = await during?.(stage, ran.length)
          return typeof said === 'string' ? said : `refunded ${amount}`
        },
      },
      {
        name: 'look_up_customer',
        gated: false,
        kind: 'plain',
        schema: z.object({ customer_id: z.string() }),
        execute: async () => (currentPermit() ? 'a permit where none belongs' : 'customer in good standing'),
      },
      {
        name: 'refund_twice',
        gated: false,
        kind: 'plain',
        schema: refundSchema,
        execute: async (args, { call }) => `${await call('issue_refund', args)}, ${await call('issue_refund', args)}`,
      },
      {
        name: 'settle_case',
        gated: true,
        reenters: true,
        kind: 'plain',
        schema: refundSchema,
        execute: async (args, { call }) => `${text(args, 'settled')}: ${await call('issue_refund', args)}`,
      },
      {
        name: 'confirm_refund',
        gated: true,
        reenters: true,
        kind: 'plain',
        schema: refundSchema,
        async execute(args, { ask }) {
          const said = await ask('Are you sure?')
          const { amount } = refundSchema.parse(args)
          ran.push(currentPermit({ action: 'confirm_refund' }) ? amount : `${amount} without a permit for it`)
          return `refunded ${amount} after ${said}`
        },
      },
      {
        name: 'ask_colleague',
        gated: false,
        kind: 'agent',
        schema: z.object({ customer_id: z.string() }),
        execute: async () => 'an agent answers',
      },
      {
        name: 'delegate_case',
        gated: true,
        reenters: true,
        kind: 'agent',
        schema: z.object({ customer_id: z.string() }),
        execute: async () => 'an agent answers',
      },
    ],
  }
}

/** As tools give up by themselves, where frameworks do not do it for them. */
export async function inTime<Result>(work: Promise<Result>, timeoutMs: number | undefined): Promise<Result> {
  if (timeoutMs === undefined) return work
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DOMException('the tool timed out', 'TimeoutError')), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
