import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type SessionKeeper, type SessionState, sessionKeeper } from '../src/session.ts'
import { memoryStorage } from './memory-storage.ts'

const now = 1_780_000_000_000
const opened: SessionKeeper[] = []
afterEach(() => {
  for (const keeper of opened.splice(0)) keeper[Symbol.dispose]()
})

/** A tab of the browser that `browser` names. */
function tab(browser: string, storage = memoryStorage(), askMs = 10_000): SessionKeeper {
  const keeper = sessionKeeper({ storage, channel: new BroadcastChannel(browser), now: () => now, askMs })
  opened.push(keeper)
  return keeper
}

const aSession = () => ({ secret: randomUUID(), expiresAt: now + 3_600_000 })

async function becomes(keeper: SessionKeeper, state: SessionState): Promise<void> {
  await vi.waitFor(() => expect(keeper.state()).toEqual(state))
}

describe('sessionKeeper', () => {
  it('keeps the session over a reload', () => {
    const storage = memoryStorage()
    const session = aSession()
    tab(randomUUID(), storage).begin(session)
    expect(tab(randomUUID(), storage).state()).toEqual({ type: 'in', session })
  })

  it.each([
    ['what is no JSON', 'x'],
    ['a session without a secret', JSON.stringify({ expiresAt: now + 1 })],
    ['an empty secret', JSON.stringify({ secret: '', expiresAt: now + 1 })],
    ['a session that has run out', JSON.stringify({ secret: 'x', expiresAt: now })],
  ])('does not take %s out of the storage', (_, text) => {
    const storage = memoryStorage()
    storage.setItem('silentauth.session', text)
    expect(tab(randomUUID(), storage).state()).toEqual({ type: 'asking' })
  })

  it('is signed out when no other tab answers', async () => {
    await becomes(tab(randomUUID(), memoryStorage(), 1), { type: 'out', why: 'none' })
  })

  it('hands its session to a tab that was just opened', async () => {
    const browser = randomUUID()
    const session = aSession()
    tab(browser).begin(session)
    await becomes(tab(browser), { type: 'in', session })
  })

  it('brings along the tabs that wait for a sign-in', async () => {
    const browser = randomUUID()
    const waiting = tab(browser, memoryStorage(), 1)
    await becomes(waiting, { type: 'out', why: 'none' })
    const session = aSession()
    tab(browser).begin(session)
    await becomes(waiting, { type: 'in', session })
  })

  it('ends another session of this browser, whose cookie was replaced', async () => {
    const browser = randomUUID()
    const first = tab(browser)
    first.begin(aSession())
    tab(browser).begin(aSession())
    await becomes(first, { type: 'out', why: 'ended' })
  })

  it('does not slip into the session of another tab after its own has ended', async () => {
    const browser = randomUUID()
    const ended = tab(browser)
    ended.begin(aSession())
    ended.end()
    const session = aSession()
    tab(browser).begin(session)
    // What was posted later has arrived: so has what came before.
    await becomes(tab(browser), { type: 'in', session })
    expect(ended.state()).toEqual({ type: 'out', why: 'ended' })
  })

  it('takes it when a person asks for it', async () => {
    const browser = randomUUID()
    const session = aSession()
    const ended = tab(browser)
    ended.end()
    tab(browser).begin(session)
    ended.ask()
    await becomes(ended, { type: 'in', session })
  })

  it('forgets the session in every tab', async () => {
    const browser = randomUUID()
    const storage = memoryStorage()
    const other = tab(browser, storage)
    other.begin(aSession())
    const mine = tab(browser)
    await vi.waitFor(() => expect(mine.state().type).toBe('in'))
    mine.leave()
    await becomes(other, { type: 'out', why: 'left' })
    expect(storage.getItem('silentauth.session')).toBeNull()
  })

  it.each([null, 'tell', { type: 'tell' }, { type: 'tell', secret: 7, expiresAt: now + 1 }, { type: 'begun' }])(
    'ignores the message %j',
    async (message) => {
      const browser = randomUUID()
      const asking = tab(browser)
      using channel = closing(new BroadcastChannel(browser))
      channel.postMessage(message)
      await sleep(5)
      expect(asking.state()).toEqual({ type: 'asking' })
    },
  )
})

function closing(channel: BroadcastChannel): BroadcastChannel & Disposable {
  return Object.assign(channel, { [Symbol.dispose]: () => channel.close() })
}
