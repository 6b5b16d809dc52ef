import { describe, expect, it } from 'vitest'
import { memorySingleUse } from '../src/single-use.js'

const aStore = (maxEntries?: number) => {
  const clock = { now: 1_000_000 }
  return { clock, store: memorySingleUse({ maxEntries, now: () => clock.now }) }
}

describe('a memory of uses', () => {
  it('says that it is of this process alone', () => {
    expect(memorySingleUse().scope).toBe('per-process')
  })

  it('gives a use to the first who asks', () => {
    const { store } = aStore()
    expect([store.take('a', 1_060_000), store.take('a', 1_060_000), store.take('b', 1_060_000)]).toEqual([
      true,
      false,
      true,
    ])
  })

  it('remembers until the very end', () => {
    const { clock, store } = aStore()
    store.take('a', 1_060_500)
    clock.now = 1_060_499
    expect(store.take('a', 1_060_500)).toBe(false)
  })

  it('gives nothing for what is over', () => {
    const { clock, store } = aStore()
    clock.now = 1_060_000
    expect(store.take('a', 1_060_000)).toBe(false)
  })

  it('gives no use twice when the clock is set back', () => {
    const { clock, store } = aStore()
    store.take('a', 1_060_000)
    clock.now = 1_061_000
    store.take('b', 1_090_000)
    clock.now = 1_000_000
    expect(store.take('a', 1_060_000)).toBe(false)
  })

  it('gives nothing for an end that is no number', () => {
    expect(aStore().store.take('a', Number.NaN)).toBe(false)
  })

  it('refuses when it is full, and says when to come back', () => {
    const { store } = aStore(2)
    store.take('a', 1_030_000)
    store.take('b', 1_060_000)
    expect(() => store.take('c', 1_060_000)).toThrow(
      expect.objectContaining({ code: 'RATE_LIMITED', retryAfterSeconds: 30 }),
    )
  })

  it('forgets no use to make room', () => {
    const { store } = aStore(1)
    store.take('a', 1_060_000)
    expect(() => store.take('b', 1_060_000)).toThrow()
    expect(store.take('a', 1_060_000)).toBe(false)
  })

  it('has room again when uses are over', () => {
    const { clock, store } = aStore(2)
    store.take('a', 1_030_000)
    store.take('b', 1_060_000)
    clock.now = 1_030_000
    expect(store.take('c', 1_090_000)).toBe(true)
    expect(() => store.take('d', 1_090_000)).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }))
  })

  it.each([0, 1.5, Number.NaN])('cannot be of %d entries', (maxEntries) => {
    expect(() => memorySingleUse({ maxEntries })).toThrow(TypeError)
  })
})
