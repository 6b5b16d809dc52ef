import { getEventListeners } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { sleep, within } from '../src/time-limit.js'

/** Ends only when its signal aborts. */
const forever = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))

describe('a time limit', () => {
  it('gives what the work gives', async () => {
    await expect(within({ ms: 60_000 }, async () => 'done')).resolves.toBe('done')
  })

  it('ends work that takes longer', async () => {
    await expect(within({ ms: 1 }, forever)).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('ends work for the reason of the outer signal', async () => {
    const outer = new AbortController()
    const ended = within({ ms: 60_000, signals: [undefined, outer.signal] }, forever)
    outer.abort('enough')
    await expect(ended).rejects.toBe('enough')
  })

  it('does not begin work that nobody waits for', async () => {
    const work = vi.fn(async () => 'done')
    await expect(within({ ms: 60_000, signals: [AbortSignal.abort('enough')] }, work)).rejects.toBe('enough')
    expect(work).not.toHaveBeenCalled()
  })

  it.each([
    ['succeeds', async () => 'done'],
    ['fails', async () => Promise.reject(new Error('no'))],
    ['is too slow', forever],
  ])('leaves no listener when the work %s', async (_, work) => {
    const { signal } = new AbortController()
    await within<unknown>({ ms: 1, signals: [signal] }, work).catch(() => undefined)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
})

describe('a sleep', () => {
  it('leaves no listener when it is over', async () => {
    const { signal } = new AbortController()
    await sleep(1, { signals: [signal] })
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it.each([
    ['before', () => AbortSignal.abort('enough')],
    ['meanwhile', () => abortsSoon('enough')],
  ])('ends when its signal aborted %s', async (_, signal) => {
    await expect(sleep(60_000, { signals: [undefined, signal()] })).rejects.toBe('enough')
  })
})

it('leaves no listener on another signal when one of them ends it', async () => {
  const { signal } = new AbortController()
  await sleep(60_000, { signals: [signal, abortsSoon('enough')] }).catch(() => undefined)
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

function abortsSoon(reason: string): AbortSignal {
  const controller = new AbortController()
  queueMicrotask(() => controller.abort(reason))
  return controller.signal
}
