import { randomUUID } from 'node:crypto'
import { SilentAuthError } from '@silentauth/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type LiveUpdates, liveUpdates } from '../src/live.ts'

/** One browser: its tabs share a channel and a lock. */
function browser() {
  const name = randomUUID()
  const locks = navigator.locks
  const streams = new Set<ReadableStreamDefaultController<Uint8Array>>()
  let opened = 0
  /** Errors that the next attempts fail with. */
  const failures: unknown[] = []

  return {
    streams,
    failures,
    opened: () => opened,
    write(text: string) {
      for (const stream of streams) stream.enqueue(new TextEncoder().encode(text))
    },
    /** The gate goes away. */
    drop() {
      for (const stream of streams) stream.error(new TypeError('connection lost'))
      streams.clear()
    },
    tab() {
      const page = Object.assign(new EventTarget(), { visibilityState: 'visible' as DocumentVisibilityState })
      let hints = 0
      const live = liveUpdates({
        async open(signal) {
          opened++
          const failure = failures.shift()
          if (failure !== undefined) throw failure
          const body = new ReadableStream<Uint8Array>({
            start(controller) {
              streams.add(controller)
              signal.addEventListener('abort', () => {
                if (streams.delete(controller)) controller.error(signal.reason)
              })
            },
          })
          return new Response(body)
        },
        onHint: () => hints++,
        channel: new BroadcastChannel(name),
        locks: { request: ((_: string, ...rest: [never, never]) => locks.request(name, ...rest)) as never },
        page,
        retryMs: 1,
      })
      opening.push(live)
      return {
        live,
        hints: () => hints,
        show(state: DocumentVisibilityState) {
          page.visibilityState = state
          page.dispatchEvent(new Event('visibilitychange'))
        },
      }
    },
  }
}

const opening: LiveUpdates[] = []
afterEach(() => {
  for (const live of opening.splice(0)) live[Symbol.dispose]()
})

const connected = (live: LiveUpdates) => vi.waitFor(() => expect(live.connected()).toBe(true))

describe('liveUpdates', () => {
  it('streams, and hints when something happens', async () => {
    const chromium = browser()
    const tab = chromium.tab()
    await connected(tab.live)
    const before = tab.hints()
    chromium.write('event: inbox\ndata: {}\n\n')
    await vi.waitFor(() => expect(tab.hints()).toBe(before + 1))
  })

  it('opens one stream for seven tabs, and tells all of them', async () => {
    const chromium = browser()
    const tabs = Array.from({ length: 7 }, () => chromium.tab())
    await connected((tabs[0] as (typeof tabs)[0]).live)
    chromium.write('event: inbox\ndata: {}\n\n')
    await vi.waitFor(() =>
      expect(tabs.map((tab) => [tab.live.connected(), tab.hints() > 0])).toEqual(Array(7).fill([true, true])),
    )
    expect([chromium.streams.size, chromium.opened()]).toEqual([1, 1])
  })

  it('hands the stream on when its tab is hidden', async () => {
    const chromium = browser()
    const [first, second] = [chromium.tab(), chromium.tab()]
    await connected(first.live)
    first.show('hidden')
    await vi.waitFor(() => expect(chromium.opened()).toBe(2))
    await connected(second.live)
    expect(chromium.streams.size).toBe(1)
  })

  it('holds no stream while nobody looks, and reads again when somebody does', async () => {
    const chromium = browser()
    const tab = chromium.tab()
    await connected(tab.live)
    tab.show('hidden')
    expect([chromium.streams.size, tab.live.connected()]).toEqual([0, false])
    const before = tab.hints()
    tab.show('visible')
    expect(tab.hints()).toBe(before + 1)
    await connected(tab.live)
  })

  it('comes back after the connection was lost', async () => {
    const chromium = browser()
    const tab = chromium.tab()
    await connected(tab.live)
    chromium.drop()
    await vi.waitFor(() => expect(chromium.opened()).toBe(2))
    await connected(tab.live)
  })

  it('tries again after a refusal that passes', async () => {
    const chromium = browser()
    chromium.failures.push(new SilentAuthError('GATE_UNAVAILABLE', 'the gate did not answer'))
    await connected(chromium.tab().live)
  })

  it('lets another tab stream when its own session is refused', async () => {
    const chromium = browser()
    chromium.failures.push(new SilentAuthError('UNAUTHORIZED', 'sign in'))
    const [refused, other] = [chromium.tab(), chromium.tab()]
    await connected(other.live)
    expect([chromium.opened(), refused.live.connected()]).toEqual([2, true])
  })

  it('leaves nothing open', async () => {
    const chromium = browser()
    const tab = chromium.tab()
    await connected(tab.live)
    tab.live[Symbol.dispose]()
    expect(chromium.streams.size).toBe(0)
  })
})
