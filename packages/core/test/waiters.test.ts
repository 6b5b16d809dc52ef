import { expect, it, vi } from 'vitest'
import { waiters } from '../src/waiters.js'

it('wakes those who wait for it, and nobody else', () => {
  const [mine, other] = [vi.fn(), vi.fn()]
  const own = waiters()
  own.add('int_1', mine)
  own.add('int_2', other)
  own.wake('int_1')
  expect([mine.mock.calls.length, other.mock.calls.length]).toEqual([1, 0])
})

it('forgets who has gone, once', () => {
  const own = waiters()
  const [first, second] = [own.add('int_1', vi.fn()), own.add('int_1', vi.fn())]
  first()
  first()
  expect([own.size, own.ids()]).toEqual([1, ['int_1']])
  second()
  expect([own.size, own.ids()]).toEqual([0, []])
})

it('takes a listener that leaves while it is woken', () => {
  const own = waiters()
  const woken = vi.fn()
  const removers: (() => void)[] = []
  removers.push(own.add('int_1', () => removers.forEach((remove) => void remove())))
  removers.push(own.add('int_1', woken))
  own.wake('int_1')
  expect([woken.mock.calls.length, own.size]).toEqual([1, 0])
})

it('wakes nobody for what nobody waits for', () => {
  expect(() => waiters().wake('int_1')).not.toThrow()
})
