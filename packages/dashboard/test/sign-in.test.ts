import { randomUUID } from 'node:crypto'
import { SilentAuthError } from '@silentauth/core'
import { describe, expect, it, vi } from 'vitest'
import type { Session } from '../src/session.ts'
import { isOwnPage, parseSignInLink, signIn } from '../src/sign-in.ts'

const session: Session = { secret: randomUUID(), expiresAt: 1 }

/** An address bar with this path and fragment, and what was done to it in which order. */
function entrance(address: string, exchange: (token: string) => Promise<Session> = async () => session) {
  const [pathname = '', hash = ''] = address.split('#')
  const done: string[] = []
  const begun: Session[] = []
  const location = { pathname, hash: hash === '' ? '' : `#${hash}` }
  const entry = signIn({
    exchange(token) {
      done.push(`exchange ${token}`)
      return exchange(token)
    },
    begin: (one) => void begun.push(one),
    location,
    history: {
      replaceState(_data, _unused, url) {
        done.push(`address ${url}`)
        location.hash = ''
      },
    },
  })
  return { entry, done, begun, location }
}

async function settles(entry: ReturnType<typeof entrance>['entry']) {
  await vi.waitFor(() => expect(entry.state().type).not.toBe('working'))
  return entry.state()
}

describe('signIn', () => {
  it('takes the token out of the address before it is used', () => {
    const { entry, done } = entrance('/sign-in#token=t-1')
    entry.take()
    expect(done).toEqual(['address /sign-in', 'exchange t-1'])
  })

  it('begins the session and goes on to the inbox', async () => {
    const { entry, begun } = entrance('/sign-in#token=t-1')
    entry.take()
    expect([await settles(entry), begun]).toEqual([{ type: 'done', next: '/inbox' }, [session]])
  })

  it('goes on to the page that the link names', async () => {
    const { entry } = entrance('/sign-in#token=t-1&next=%2Finbox%2Fint_4821')
    entry.take()
    expect(await settles(entry)).toEqual({ type: 'done', next: '/inbox/int_4821' })
  })

  it('clears a fragment without a token, too', () => {
    const { entry, done } = entrance('/sign-in#tokn=t-1')
    entry.take()
    expect(done).toEqual(['address /sign-in'])
  })

  it('leaves other pages alone', () => {
    const { entry, done } = entrance('/inbox#token=t-1')
    entry.take()
    expect(done).toEqual([])
  })

  it('exchanges a token once, however often it is asked', async () => {
    const { entry, done } = entrance('/sign-in#token=t-1')
    entry.take()
    entry.take()
    await settles(entry)
    entry.take()
    expect(done.filter((step) => step.startsWith('exchange'))).toEqual(['exchange t-1'])
  })

  it('says which refusal it was, and does not try a used link again', async () => {
    const { entry, done } = entrance('/sign-in#token=t-1', async () => {
      throw new SilentAuthError('UNAUTHORIZED', 'no such token')
    })
    entry.take()
    expect(await settles(entry)).toEqual({ type: 'failed', code: 'UNAUTHORIZED' })
    entry.retry()
    expect(done.filter((step) => step.startsWith('exchange'))).toHaveLength(1)
  })

  it('tries the same token again when the gate had not answered', async () => {
    let down = true
    const { entry } = entrance('/sign-in#token=t-1', async () => {
      if (down) throw new SilentAuthError('GATE_UNAVAILABLE', 'the gate did not answer')
      return session
    })
    entry.take()
    await settles(entry)
    down = false
    entry.retry()
    expect(await settles(entry)).toEqual({ type: 'done', next: '/inbox' })
  })

  it('takes a second link that is pasted over the page', async () => {
    const { entry, done, location } = entrance('/sign-in#token=t-1')
    entry.take()
    await settles(entry)
    location.hash = '#token=t-2'
    entry.take()
    expect(done.at(-1)).toBe('exchange t-2')
  })
})

describe('parseSignInLink', () => {
  it.each(['', '#', '#next=/inbox', '#token='])('finds no token in %j', (hash) => {
    expect(parseSignInLink(hash)).toBeUndefined()
  })
})

describe('isOwnPage', () => {
  it.each(['/inbox', '/inbox/int_0123456789abcdefghjkmnpqrs'])('lets pass %s', (path) => {
    expect(isOwnPage(path)).toBe(true)
  })

  it.each([
    '//evil.example/inbox',
    '/\\evil.example',
    'https://evil.example/inbox',
    'javascript:alert(1)',
    '/inbox/../api/session',
    '/inbox/int_x?next=//evil.example',
    '/inbox#token=x',
    '/inbox/int_x\n//evil.example',
    '/inbox/',
    '/sign-in',
    ' /inbox',
    '',
  ])('does not let pass %j', (path) => {
    expect(isOwnPage(path)).toBe(false)
  })

  it('is what a link is held against', () => {
    expect(parseSignInLink('#token=t-1&next=//evil.example')).toEqual({ token: 't-1', next: '/inbox' })
  })
})
