import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { rota } from '../src/rota.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a rota', () => {
  it('gives each one turn in each period, and never more than its share of them at once', () => {
    const turns = new Map<number, number>()
    let atOnce = 0
    using own = rota<number>(60_000, (member) => {
      turns.set(member, (turns.get(member) ?? 0) + 1)
      atOnce++
    })
    for (let member = 0; member < 10_000; member++) own.add(member)
    let most = 0
    for (let ms = 0; ms < 120_000; ms += 10) {
      atOnce = 0
      vi.advanceTimersByTime(10)
      most = Math.max(most, atOnce)
    }
    expect([turns.size, new Set(turns.values()), most]).toEqual([10_000, new Set([2]), 9])
  })

  it('has the first turn of whoever comes late within one period too', () => {
    const turn = vi.fn()
    using own = rota<string>(1000, turn)
    for (let index = 0; index < 7; index++) own.add(`early ${index}`)
    vi.advanceTimersByTime(430)
    own.add('late')
    vi.advanceTimersByTime(1000)
    expect(turn.mock.calls.filter(([member]) => member === 'late')).toHaveLength(1)
  })

  it.each([
    ['shorter than the time between two turns', 20, 3],
    ['of nothing', 0, 0],
  ])('takes a period %s', (_, periodMs, expected) => {
    const turn = vi.fn()
    using own = rota<string>(periodMs, turn)
    own.add('one')
    vi.advanceTimersByTime(60)
    expect(turn).toHaveBeenCalledTimes(expected)
  })

  it('gives no turn to whoever left, also while others have theirs', () => {
    const leaves = new Map<string, () => void>()
    const turned: string[] = []
    using own = rota<string>(20, (member) => {
      turned.push(member)
      for (const leave of leaves.values()) leave()
    })
    for (const member of ['one', 'other']) leaves.set(member, own.add(member))
    vi.advanceTimersByTime(20)
    const first = [...turned]
    vi.advanceTimersByTime(200)
    expect([first.includes('one'), turned, vi.getTimerCount()]).toEqual([true, first, 0])
  })
})
