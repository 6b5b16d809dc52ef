/**
 * What clients of the AI SDK do, who hold the messages of a run. The stock SDK is shown to pay out; the same tools, gated, never
 * run for it, and nobody is asked anew.
 */
import { resolveApprovals } from '@silentauth/ai-sdk'
import type { ModelMessage } from 'ai'
import { describe, expect, it } from 'vitest'
import { forged } from '../../../packages/ai-sdk/test/open-requests.ts'
import { forgedHistory, hi, type RefundRun, refundRun } from '../../../packages/ai-sdk/test/refund-run.ts'
import { SDKS } from '../../../packages/ai-sdk/test/sdk.ts'
import { describeFailure } from './failures.ts'
import { aField, type Field, told } from './field.ts'

const text = (messages: readonly ModelMessage[]) => JSON.stringify(messages)
const suspended = ({ gate }: Field) => ({ gate, run: { tenant: 'acme', id: 'chat_1' }, wait: 'suspend' }) as const
const amounts = ({ execute, transfer }: RefundRun) =>
  [...execute.mock.calls, ...transfer.mock.calls].map(([{ amount }]) => amount)

/** What an application does that asks the gate before it goes on. */
async function resolved(messages: readonly ModelMessage[], run: RefundRun): Promise<ModelMessage[]> {
  return (await resolveApprovals([...messages], run.settings())).messages
}

describe.each(SDKS)('$name', (sdk) => {
  const secret = crypto.getRandomValues(new Uint8Array(32))
  const signing = { experimental_toolApprovalSecret: secret }

  describeFailure('F1: an approval that a client made up from nothing', () => {
    it('pays out without a gate', async () => {
      await using stock = await refundRun(sdk, { turns: () => ({ text: 'ok' }) })
      await stock.go(forgedHistory(9999))
      expect(amounts(stock)).toEqual([9999])
    })

    it('is refused', async () => {
      await using field = await aField()
      await using run = await refundRun(sdk, { turns: () => ({ text: 'ok' }), gated: suspended(field) })
      expect(text(await run.go(forgedHistory(9999)))).toContain(told('NOT_FOUND'))
      expect(text(await resolved(forgedHistory(9999), run))).toContain(told('NOT_FOUND'))
      expect([amounts(run), await field.intents()]).toEqual([[], []])
    })

    it('is refused where the process holds', async () => {
      await using field = await aField()
      await using run = await refundRun(sdk, {
        turns: () => ({ text: 'ok' }),
        gated: { gate: field.gate, run: 'chat' },
      })
      expect(text(await run.go(forgedHistory(9999)))).toContain(
        sdk.version === 7 ? told('NOT_FOUND') : 'does not require approval',
      )
      expect([amounts(run), await field.intents()]).toEqual([[], []])
    })
  })

  describeFailure('the browser approves itself', () => {
    it('pays out without a gate, although requests are signed', async () => {
      await using stock = await refundRun(sdk, {})
      await stock.go(forged(await stock.go([hi], signing)), signing)
      expect(amounts(stock)).toEqual([250])
    })

    it('is refused', async () => {
      await using field = await aField()
      await using run = await refundRun(sdk, { gated: suspended(field) })
      const messages = forged(await run.go([hi]))
      expect(await resolveApprovals(messages, run.settings())).toMatchObject({ ready: false })
      // Also where the application forgot to ask the gate first.
      expect(text(await run.go(messages))).toContain(told('NOT_APPROVED', 'issue_refund'))
      expect([amounts(run), await field.intents()]).toEqual([[], ['issue_refund 250 pending none']])
    })
  })

  describeFailure('an approval that is posted again', () => {
    it('pays out twice without a gate, although requests are signed', async () => {
      await using stock = await refundRun(sdk, {})
      const messages = forged(await stock.go([hi], signing))
      for (let time = 0; time < 2; time++) await stock.go(messages, signing)
      expect(amounts(stock)).toEqual([250, 250])
    })

    it('pays out once', async () => {
      await using field = await aField()
      await using run = await refundRun(sdk, { gated: suspended(field) })
      const messages = await run.go([hi])
      await field.approve(await field.waiting())
      const approved = await resolved(messages, run)
      await run.go(approved)
      expect(text(await run.go(approved))).toContain(told('ALREADY_EXECUTED', 'issue_refund'))
      expect([amounts(run), await field.intents()]).toEqual([[250], ['issue_refund 250 approved succeeded']])
    })
  })

  describeFailure('an approved call with other contents', () => {
    const changes = [
      ['other arguments', told('IDEMPOTENCY_MISMATCH', 'issue_refund'), '"amount":250', '"amount":9999'],
      ['another tool', told('NOT_FOUND'), '"toolName":"issue_refund"', '"toolName":"transfer"'],
    ] as const

    it.each(changes)('pays out without a gate: %s', async (_, _refusal, from, to) => {
      await using stock = await refundRun(sdk, {})
      const messages = forged(await stock.go([hi]))
      await stock.go(JSON.parse(text(messages).replaceAll(from, to)))
      expect(amounts(stock)).toHaveLength(1)
      expect([stock.transfer.mock.calls.length, ...amounts(stock)]).toEqual(to.includes('9999') ? [0, 9999] : [1, 250])
    })

    it.each(changes)('is refused: %s', async (_, refusal, from, to) => {
      await using field = await aField()
      await using run = await refundRun(sdk, { gated: suspended(field) })
      const messages = await run.go([hi])
      await field.approve(await field.waiting())
      const changed = JSON.parse(text(await resolved(messages, run)).replaceAll(from, to))
      expect(text(await run.go(changed))).toContain(refusal)
      await run.go(await resolved(changed, run))
      expect([amounts(run), await field.intents()]).toEqual([[], ['issue_refund 250 approved none']])
    })
  })
})

describeFailure('approval switched off by the invocation', () => {
  const [sdk] = SDKS
  const off = { toolApproval: () => undefined }

  it('pays out without a gate where an approval function of the AI SDK answers nothing', async () => {
    await using stock = await refundRun(sdk, {})
    await stock.go([hi], off)
    expect(amounts(stock)).toEqual([250])
  })

  it('is refused', async () => {
    await using field = await aField()
    await using run = await refundRun(sdk, { gated: suspended(field) })
    expect(text(await run.go([hi], off))).toContain(told('NOT_FOUND'))
    expect([amounts(run), await field.intents()]).toEqual([[], []])
  })
})
