import { describe, expect, it } from 'vitest'
import { gateClock } from '../src/clock.ts'

const noon = Date.UTC(2026, 10, 21, 12)

describe('gateClock', () => {
  it('follows the gate when the own clock is off', () => {
    const clock = gateClock(() => noon)
    clock.set(noon + 300_000)
    expect(clock.now()).toBe(noon + 300_000)
  })

  it.each([-2_000, 0, 2_000])('does not follow %i ms, which the way of an answer explains', (difference) => {
    const clock = gateClock(() => noon)
    clock.set(noon + difference)
    expect(clock.now()).toBe(noon)
  })

  it('is corrected when the own clock was set right', () => {
    let local = noon
    const clock = gateClock(() => local)
    clock.set(noon + 300_000)
    local = noon + 300_000
    clock.set(local)
    expect(clock.now()).toBe(noon + 300_000)
  })

  it('says that it was set', () => {
    const clock = gateClock(() => noon)
    let ticks = 0
    const stop = clock.subscribe(() => ticks++)
    clock.set(noon + 300_000)
    stop()
    expect(ticks).toBe(1)
  })
})
