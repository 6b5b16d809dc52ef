import { describe, expect, it } from 'vitest'
import { tokenBuckets } from '../src/token-bucket.js'

describe('token buckets', () => {
  it('give what a minute has at once, then one at a time', () => {
    let now = 0
    const buckets = tokenBuckets({ perMinute: 2, now: () => now })
    const take = (): string => {
      try {
        buckets.take('key_1')
        return 'taken'
      } catch {
        return 'refused'
      }
    }
    const first = [take(), take(), take()]
    now = 29_999
    const early = take()
    now = 30_000
    expect([...first, early, take(), take()]).toEqual(['taken', 'taken', 'refused', 'refused', 'taken', 'refused'])
  })

  it('say when there is one again', () => {
    const buckets = tokenBuckets({ perMinute: 1, now: () => 0 })
    buckets.take('key_1')
    expect(() => buckets.take('key_1')).toThrow(
      expect.objectContaining({ code: 'RATE_LIMITED', retryAfterSeconds: 60 }),
    )
  })

  it('are one for each holder', () => {
    const buckets = tokenBuckets({ perMinute: 1, now: () => 0 })
    buckets.take('key_1')
    expect(() => buckets.take('key_2')).not.toThrow()
  })

  it('can be switched off', () => {
    const buckets = tokenBuckets({ perMinute: 0, now: () => 0 })
    for (let n = 0; n < 1000; n++) buckets.take('key_1')
    expect(() => buckets.take('key_1')).not.toThrow()
  })

  it('remember whoever is short of tokens, however many others come', () => {
    let now = 0
    const buckets = tokenBuckets({ perMinute: 1, now: () => now })
    now = 59_999
    buckets.take('key_0')
    now = 60_000
    for (let n = 1; n < 20_000; n++) buckets.take(`key_${n}`)
    expect(() => buckets.take('key_0')).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }))
  })
})
