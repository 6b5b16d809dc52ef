import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { SettledIntent } from '../src/intent.js'
import { terminalReporter } from '../src/terminal-reporter.js'

const NOW = 1_000_000

function anIntent(id = 'int_1', details: Partial<SettledIntent> = {}): SettledIntent {
  return {
    id,
    action: 'issue_refund',
    status: 'approved',
    approvalsRequired: 2,
    expiresAt: NOW + 125_000,
    approvedBy: ['ann@example.com'],
    ...details,
  } as SettledIntent
}

function aTerminal(isTTY: boolean) {
  const written: string[] = []
  const stream = { isTTY, write: (text: string) => written.push(text) }
  const report = terminalReporter({ stream, now: () => NOW })
  return { report, text: () => written.join('') }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('without a TTY', () => {
  it('prints plain lines', () => {
    const { report, text } = aTerminal(false)
    const intent = anIntent()
    report({ type: 'pending', intent, approvalUrl: 'http://127.0.0.1:4747/inbox/int_1' })
    report({ type: 'waiting', intent, votes: 1, votesRequired: 2, msLeft: 1 })
    report({ type: 'decided', intent })
    report({ type: 'claimed', intent })
    report({ type: 'finished', intent, outcome: { status: 'succeeded' } })
    expect(text()).toBe(
      [
        'issue_refund needs approval: http://127.0.0.1:4747/inbox/int_1',
        '  still waiting: 1 of 2 votes, 2 min 5 s left',
        '  approved by ann@example.com',
        '  executing issue_refund with a permit',
        '  issue_refund succeeded',
        '',
      ].join('\n'),
    )
  })

  it('writes no control characters, and holds no timer', () => {
    const { report, text } = aTerminal(false)
    report({ type: 'pending', intent: anIntent(), approvalUrl: 'http://x' })
    expect(text()).not.toContain('\u001b')
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('with a TTY', () => {
  it('draws one line again and again', () => {
    const { report, text } = aTerminal(true)
    report({ type: 'pending', intent: anIntent(), approvalUrl: 'http://x' })
    vi.advanceTimersByTime(2000)
    expect(text().split('waiting for issue_refund: 0 of 2 votes, 2 min 5 s left')).toHaveLength(4)
    expect(text().split('\n')).toHaveLength(2)
  })

  it('counts what else waits', () => {
    const { report, text } = aTerminal(true)
    report({ type: 'pending', intent: anIntent('int_1'), approvalUrl: 'http://x' })
    report({ type: 'pending', intent: anIntent('int_2'), approvalUrl: 'http://x' })
    expect(text()).toContain(', and 1 more')
  })

  it.each(['decided', 'finished'] as const)('stops its timer once all is %s', (type) => {
    const { report } = aTerminal(true)
    for (const id of ['int_1', 'int_2']) report({ type: 'pending', intent: anIntent(id), approvalUrl: 'http://x' })
    for (const id of ['int_1', 'int_2']) report({ type, intent: anIntent(id), outcome: { status: 'succeeded' } })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('says that a report was lost, and what the gate will show', () => {
    const { report, text } = aTerminal(true)
    report({ type: 'report_failed', intent: anIntent(), error: new Error('secret') })
    expect(text()).toContain('unknown')
    expect(text()).not.toContain('secret')
  })

  it('says why something was not executed, and stops waiting for it', () => {
    const { report, text } = aTerminal(true)
    report({ type: 'pending', intent: anIntent('int_1'), approvalUrl: 'http://x' })
    const refused = { type: 'refused', action: 'issue_refund', code: 'WAIT_TIMEOUT', message: 'no decision' } as const
    report({ ...refused, intent: anIntent('int_1') })
    expect(text()).toContain('issue_refund was not executed: no decision')
    expect(vi.getTimerCount()).toBe(0)
  })
})
