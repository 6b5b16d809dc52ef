import { expect, it, vi } from 'vitest'
import { type Anchor, anchoring } from '../src/anchor.js'
import type { StoredCheckpoint } from '../src/log-store.js'

const FAST = { everyMs: 0, firstPauseMs: 1 } as const

/** A log that tells of a checkpoint when it is told to. */
function aLog(first?: string) {
  const listeners = new Set<(checkpoint: StoredCheckpoint) => void>()
  return {
    head: () => (first === undefined ? undefined : aCheckpoint(first)),
    onCheckpoint(listener: (checkpoint: StoredCheckpoint) => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    sign(note: string) {
      for (const listener of listeners) listener(aCheckpoint(note))
    },
    get listeners() {
      return listeners.size
    },
  }
}

function aCheckpoint(note: string): StoredCheckpoint {
  return { projectId: 'prj_1', epoch: 0, size: 1, root: '', note, at: 0 }
}

function anAnchor(name = 'a') {
  const put = vi.fn<Anchor['put']>(async () => undefined)
  return { name, put, taken: () => put.mock.calls.map(([note]) => note) }
}

it('puts the checkpoint that is there, and each that comes', async () => {
  const log = aLog('first')
  const anchor = anAnchor()
  await using _ = anchoring({ log, anchors: [anchor], ...FAST })
  await vi.waitFor(() => expect(anchor.taken()).toEqual(['first']))
  log.sign('second')
  await vi.waitFor(() => expect(anchor.taken()).toEqual(['first', 'second']))
})

it('tries again, with the newest, and gives up after a number of attempts without holding anything up', async () => {
  const log = aLog()
  const anchor = anAnchor()
  anchor.put.mockRejectedValue(new Error('away'))
  const other = anAnchor('other')
  const onFailure = vi.fn()
  await using _ = anchoring({ log, anchors: [anchor, other], attempts: 3, onFailure, ...FAST })
  log.sign('first')
  await vi.waitFor(() => expect(onFailure).toHaveBeenCalledWith({ anchor: 'a', error: expect.any(Error) }))
  expect([anchor.put.mock.calls.length, other.taken()]).toEqual([3, ['first']])
  anchor.put.mockResolvedValue(undefined)
  log.sign('second')
  await vi.waitFor(() => expect(anchor.taken().at(-1)).toBe('second'))
})

it('puts no more than one in its time, and then the newest', async () => {
  const log = aLog()
  const anchor = anAnchor()
  const anchored = anchoring({ log, anchors: [anchor], everyMs: 3_600_000 })
  for (const note of ['first', 'second', 'third']) {
    log.sign(note)
    await Promise.resolve()
  }
  await anchored[Symbol.asyncDispose]()
  expect([anchor.taken(), log.listeners]).toEqual([['first', 'third'], 0])
})

it('ends while an anchor is away, after one more attempt', async () => {
  const log = aLog()
  const anchor = anAnchor()
  anchor.put.mockRejectedValue(new Error('away'))
  const anchored = anchoring({ log, anchors: [anchor], attempts: 100, firstPauseMs: 3_600_000 })
  log.sign('first')
  await vi.waitFor(() => expect(anchor.put).toHaveBeenCalledTimes(1))
  await anchored[Symbol.asyncDispose]()
  expect(anchor.put).toHaveBeenCalledTimes(2)
})
