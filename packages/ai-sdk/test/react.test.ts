import type { ChatMessage } from '@silentauth/ai-sdk'
import { type NudgedChat, PendingApproval, pendingParts, usePendingApprovals } from '@silentauth/ai-sdk/react'
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { nudging } from '../src/nudging.ts'

const descriptor = {
  type: 'silentauth.gate/v1',
  intentId: 'int_1',
  action: 'issue_refund',
  approvalUrl: 'https://gate.example/inbox/int_1',
  riskTier: 'medium',
  expiresAt: '2026-11-21T00:00:00.000Z',
}
const waiting = (approval: object = { id: 'a1', descriptor }, state = 'approval-requested') => ({
  type: 'tool-issue_refund',
  toolCallId: 'call_1',
  state,
  input: { amount: 250 },
  approval,
})
const assistant = (...parts: object[]): ChatMessage => ({ role: 'assistant', parts })
const user: ChatMessage = { role: 'user', parts: [] }

function Chat({ messages, status = 'ready' }: { messages: readonly ChatMessage[]; status?: string }) {
  const chat: NudgedChat = { messages, status, sendMessage: async () => {} }
  const approvals = usePendingApprovals(chat)
  return approvals.map((approval) => createElement(PendingApproval, { key: approval.toolCallId, approval }))
}
const shown = (messages: readonly ChatMessage[], status?: string) =>
  renderToStaticMarkup(createElement(Chat, { messages, ...(status !== undefined && { status }) }))

describe('a chat', () => {
  it('shows what waits, with the link to where people decide', () => {
    expect(shown([user, assistant(waiting())])).toBe(
      '<div role="status" data-silentauth-gate="pending" data-intent-id="int_1">issue_refund waits for a person&#x27;s approval. ' +
        '<a href="https://gate.example/inbox/int_1" target="_blank" rel="noopener noreferrer">Review</a></div>',
    )
  })

  it.each<[string, ChatMessage[]]>([
    ['that waits for nothing', [user, assistant({ type: 'text', text: 'hi' })]],
    ['in which it was answered', [assistant(waiting({ id: 'a1', approved: true }, 'approval-responded'))]],
    ['in which the user went on', [assistant(waiting()), user]],
    ['that is empty', []],
  ])('%s shows nothing', (_, messages) => {
    expect(shown(messages)).toBe('')
  })

  it('shows a held call as long as its stream lives, and nothing that a tool says', () => {
    const output = { type: 'silentauth.waiting/v1', status: 'waiting', approval: descriptor }
    const held = { ...waiting(), approval: undefined, state: 'output-available', preliminary: true, output }
    expect(shown([user, assistant(held)], 'streaming')).toContain('https://gate.example/inbox/int_1')
    expect(shown([user, assistant(held)])).toBe('')
    for (const other of [{ preliminary: false }, { output: { ...output, status: 'approved' } }, { output: 'on it' }]) {
      expect(shown([user, assistant({ ...held, ...other })], 'streaming')).toBe('')
    }
  })

  it('never shows a link that is no link to a page', () => {
    const forged = waiting({ id: 'a1', descriptor: { ...descriptor, approvalUrl: 'javascript:alert(1)' } })
    expect(shown([assistant(forged)])).not.toContain('href')
    expect(pendingParts([assistant(forged)])).toMatchObject([{ toolName: 'issue_refund', descriptor: undefined }])
  })
})

describe('nudges', () => {
  afterEach(() => void vi.useRealTimers())

  it('go on where one fails, until they are ended', async () => {
    vi.useFakeTimers()
    const nudge = vi.fn(async () => {
      throw new Error('offline')
    })
    const end = nudging(nudge, 1000)
    await vi.advanceTimersByTimeAsync(3000)
    end()
    await vi.advanceTimersByTimeAsync(3000)
    expect(nudge).toHaveBeenCalledTimes(3)
  })
})
