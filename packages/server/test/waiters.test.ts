import type { IntentId } from '@silentauth/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Waiter, type Waiters, waiters } from '../src/waiters.js'

let table: Waiters
afterEach(() => table[Symbol.dispose]())

const none = async () => []
const aWaiter = (details: Partial<Pick<Waiter, 'principal' | 'intentId'>> = {}) => ({
  principal: 'key_1',
  intentId: 'int_1' as IntentId | undefined,
  wake: vi.fn(),
  recheck: vi.fn(),
  beat: vi.fn(),
  drain: vi.fn(),
  ...details,
})

describe('waiters', () => {
  it('wake whoever waits for this intent, or for all, and nobody else', () => {
    table = waiters({ settledAmong: none })
    const [own, other, all] = [aWaiter(), aWaiter({ intentId: 'int_2' }), aWaiter({ intentId: undefined })]
    for (const waiter of [own, other, all]) table.add(waiter)
    table.wake('int_1')
    expect([own, other, all].map(({ wake }) => vi.mocked(wake).mock.calls)).toEqual([[['int_1']], [], [['int_1']]])
  })

  it('leave once, however often they are told to', () => {
    table = waiters({ settledAmong: none, max: 10, maxPerPrincipal: 1 })
    const leave = table.add(aWaiter())
    leave()
    leave()
    const again = table.add(aWaiter())
    expect(table.size).toBe(1)
    again()
    expect(table.size).toBe(0)
  })

  it('may leave while they are woken', () => {
    table = waiters({ settledAmong: none })
    const leaves: (() => void)[] = []
    const second = aWaiter()
    leaves.push(table.add({ ...aWaiter(), wake: () => leaves.forEach((leave) => void leave()) }), table.add(second))
    table.wake('int_1')
    expect([table.size, vi.mocked(second.wake).mock.calls.length]).toEqual([0, 1])
  })

  it('are refused beyond the table, and beyond one principal’s share of it', () => {
    table = waiters({ settledAmong: none, max: 3, maxPerPrincipal: 2 })
    table.add(aWaiter())
    table.add(aWaiter())
    expect(() => table.add(aWaiter())).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_WAITERS', retryAfterSeconds: 2 }),
    )
    table.add(aWaiter({ principal: 'key_2' }))
    expect(() => table.add(aWaiter({ principal: 'key_3' }))).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_WAITERS' }),
    )
  })

  it('are a tenth of the table for one principal', () => {
    table = waiters({ settledAmong: none, max: 50 })
    for (let n = 0; n < 5; n++) table.add(aWaiter())
    expect(() => table.add(aWaiter())).toThrow(expect.objectContaining({ code: 'TOO_MANY_WAITERS' }))
  })

  it('share one clock, which stands still while nobody waits', () => {
    vi.useFakeTimers()
    try {
      table = waiters({ settledAmong: none, pollMs: 0 })
      expect(vi.getTimerCount()).toBe(0)
      const [one, other] = [aWaiter(), aWaiter({ intentId: 'int_2' })]
      const leaves = [table.add(one), table.add(other)]
      expect(vi.getTimerCount()).toBe(2)
      vi.advanceTimersByTime(60_000)
      expect([one, other].map(({ beat, recheck }) => [beat.mock.calls.length, recheck.mock.calls.length])).toEqual([
        [3, 1],
        [3, 1],
      ])
      for (const leave of leaves) leave()
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('do not all ask again, or show that they live, in one moment', () => {
    vi.useFakeTimers()
    try {
      table = waiters({ settledAmong: none, pollMs: 0, max: 10_000, maxPerPrincipal: 10_000 })
      let atOnce = { recheck: 0, beat: 0 }
      const most = { ...atOnce }
      for (let n = 0; n < 2000; n++) {
        table.add({ ...aWaiter(), recheck: () => void atOnce.recheck++, beat: () => void atOnce.beat++ })
      }
      for (let ms = 0; ms < 60_000; ms += 50) {
        atOnce = { recheck: 0, beat: 0 }
        vi.advanceTimersByTime(50)
        most.recheck = Math.max(most.recheck, atOnce.recheck)
        most.beat = Math.max(most.beat, atOnce.beat)
      }
      expect(most).toEqual({ recheck: 2, beat: 5 })
    } finally {
      vi.useRealTimers()
    }
  })

  it('catch up on what nobody woke them for, in bounded questions', async () => {
    const asked: number[] = []
    table = waiters({
      pollMs: 5,
      max: 100_000,
      settledAmong: async (ids) => {
        asked.push(ids.length)
        return ids.filter((id) => id === 'int_700')
      },
    })
    const settled = aWaiter({ intentId: 'int_700' })
    table.add(settled)
    for (let n = 0; n < 699; n++) table.add(aWaiter({ intentId: `int_${n}` }))
    await vi.waitFor(() => expect(settled.wake).toHaveBeenCalledWith('int_700'))
    expect(asked.slice(0, 2)).toEqual([500, 200])
  })

  it('survive a store that does not answer', async () => {
    let asked = 0
    table = waiters({
      pollMs: 5,
      settledAmong: async (ids) => {
        asked++
        if (asked === 1) throw new Error('gone')
        return ids
      },
    })
    const waiter = aWaiter()
    table.add(waiter)
    await vi.waitFor(() => expect(waiter.wake).toHaveBeenCalled())
  })

  it('are all answered when the server closes', () => {
    table = waiters({ settledAmong: none })
    const [one, other] = [aWaiter(), aWaiter({ intentId: undefined })]
    table.add(one)
    table.add(other)
    table.drain()
    expect([one.drain.mock.calls.length, other.drain.mock.calls.length, table.draining]).toEqual([1, 1, true])
  })
})
