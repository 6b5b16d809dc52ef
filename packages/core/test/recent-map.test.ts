import { recentMap } from '@silentauth/core'
import { expect, it } from 'vitest'

it('keeps the latest entries, and no more than it may', () => {
  const map = recentMap<number>(2)
  map.set('a', 1)
  map.set('b', 2)
  map.set('a', 3)
  map.set('c', 4)
  expect(['a', 'b', 'c'].map((name) => map.get(name))).toEqual([3, undefined, 4])
})
