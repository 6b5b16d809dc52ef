import { afterEach, describe, expect, it } from 'vitest'
import { issueSignInToken, SESSION_SECONDS, SIGN_IN_TOKEN_SECONDS } from '../src/session.js'
import { signInLink } from '../src/sign-in-link.js'
import { ORIGIN, signedInHeaders, type TestApp, testApp } from './test-app.js'

let test: TestApp
afterEach(() => test[Symbol.asyncDispose]())

const where = () => ({ store: test.gate.store, projectId: test.gate.project.id, publicUrl: ORIGIN })
const signIn = (token: string, more: object = {}, headers = {}) =>
  test.ask('POST', '/api/session', { body: { token, ...more }, headers })

describe('a sign-in link', () => {
  it('has its token in the fragment, and leads to a page of ours', async () => {
    test = await testApp()
    const { id } = await test.gate.person()
    const link = await signInLink(where(), id, '/inbox/int_1')
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:4747\/sign-in#token=[A-Za-z0-9_-]{43}&next=\/inbox\/int_1$/)
  })

  it.each(['//evil.example', 'https://evil.example', '/inbox/../api', '/inbox/int_1?x', '/inbox#token=x', 'inbox'])(
    'leads nowhere else: %s',
    async (next) => {
      test = await testApp()
      const { id } = await test.gate.person()
      await expect(signInLink(where(), id, next)).rejects.toThrow(TypeError)
    },
  )

  it('is for nobody who is not active here', async () => {
    test = await testApp()
    const { id } = await test.gate.person({ status: 'disabled' })
    await expect(signInLink(where(), id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('signing in', () => {
  it('gives a cookie that scripts cannot read, and the secret that belongs to it', async () => {
    test = await testApp()
    const { id } = await test.gate.person()
    const { status, headers, json } = await signIn(await issueSignInToken(where(), id))
    expect(headers.getSetCookie()).toEqual([
      expect.stringMatching(/^sa_session_4747=[A-Za-z0-9_-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/),
    ])
    const expiresAt = new Date(test.gate.clock.now() + SESSION_SECONDS * 1000).toISOString()
    expect([status, json]).toEqual([
      200,
      { data: { session: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/), expires_at: expiresAt }, error: null },
    ])
  })

  it('over https gives a cookie that no other host, path or scheme can set or get', async () => {
    test = await testApp({ app: { publicUrl: 'https://gate.example.com' } })
    const { id } = await test.gate.person()
    const response = await test.app.request('https://gate.example.com/api/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: await issueSignInToken(where(), id) }),
    })
    expect(response.headers.getSetCookie()[0]).toMatch(
      /^__Host-sa_session=\S+; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    )
    expect(response.headers.get('strict-transport-security')).toContain('max-age=')
  })

  it('works once', async () => {
    test = await testApp()
    const { id } = await test.gate.person()
    const token = await issueSignInToken(where(), id)
    await signIn(token)
    expect(await signIn(token)).toMatchObject({ status: 401, code: 'UNAUTHORIZED' })
  })

  it('works once when two try at the same moment', async () => {
    test = await testApp()
    const { id } = await test.gate.person()
    const token = await issueSignInToken(where(), id)
    const answers = await Promise.all(Array.from({ length: 8 }, () => signIn(token)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401, 401, 401, 401])
  })

  it('works for ten minutes', async () => {
    test = await testApp()
    const { id } = await test.gate.person()
    const token = await issueSignInToken(where(), id)
    test.gate.clock.advance(SIGN_IN_TOKEN_SECONDS * 1000)
    expect(await signIn(token)).toMatchObject({ status: 401, code: 'UNAUTHORIZED' })
  })

  it('is refused to somebody who was disabled meanwhile', async () => {
    test = await testApp()
    const person = await test.gate.person()
    const token = await issueSignInToken(where(), person.id)
    await test.gate.change(person, { status: 'disabled' })
    expect(await signIn(token)).toMatchObject({ status: 401 })
  })

  it.each(['', 'x', 'a'.repeat(43), '../../etc/passwd'])('is refused with the token %j', async (token) => {
    test = await testApp()
    expect((await signIn(token)).status).toBeGreaterThanOrEqual(400)
  })

  it.each([
    ['another site', { origin: 'https://evil.example' }],
    ['another port of this host', { origin: 'http://127.0.0.1:4748' }],
    ['another name of this host', { origin: 'http://localhost:4747' }],
    ['another scheme', { origin: 'https://127.0.0.1:4747' }],
    ['no origin that can be told', { origin: 'null' }],
    ['another site, as the browser says', { 'sec-fetch-site': 'cross-site' }],
    ['another port, as the browser says', { 'sec-fetch-site': 'same-site' }],
    ['the address bar, which posts nothing', { 'sec-fetch-site': 'none' }],
    ['a name that was pointed at this address', { host: 'evil.example' }],
    ['such a name with our port', { host: 'evil.example:4747' }],
    ['another port by its Host', { host: '127.0.0.1:4748' }],
  ])('is refused when it comes from %s, and the token stays good', async (_, headers) => {
    test = await testApp()
    const { id } = await test.gate.person()
    const token = await issueSignInToken(where(), id)
    const refused = await signIn(token, {}, headers)
    expect([refused.status, refused.code, (await signIn(token)).status]).toEqual([403, 'FORBIDDEN', 200])
  })

  it.each([
    ['nothing', {}],
    ['our own page', { origin: ORIGIN, 'sec-fetch-site': 'same-origin' }],
    ['our own page under another of its names', { host: 'localhost:4747', origin: 'http://localhost:4747' }],
  ])('is taken when the headers say %s', async (_, headers) => {
    test = await testApp()
    const { id } = await test.gate.person()
    expect((await signIn(await issueSignInToken(where(), id), {}, headers)).status).toBe(200)
  })

  it('through a proxy is taken under the hosts that it is told of', async () => {
    test = await testApp({ app: { publicUrl: 'https://gate.example.com', hosts: ['gate.internal:8080'] } })
    const { id } = await test.gate.person()
    const headers = { host: 'gate.internal:8080', origin: 'https://gate.internal:8080' }
    expect((await signIn(await issueSignInToken(where(), id), {}, headers)).status).toBe(200)
  })
})

describe('the channel of a session', () => {
  it.each([
    ['a browser', {}, 'session'],
    ['a browser that says so', { client: 'browser' }, 'session'],
    ['a terminal, which is the weaker one', { client: 'cli' }, 'cli'],
  ])('is that of %s', async (_, more, via) => {
    test = await testApp()
    const { id } = await test.gate.person()
    const headers = signedInHeaders(await signIn(await issueSignInToken(where(), id), more))
    expect((await test.ask('GET', '/api/session', { headers })).json.data.via).toBe(via)
  })

  it.each([{ client: 'webauthn' }, { via: 'webauthn' }, { client: 'session' }])(
    'is never one that %j claims',
    async (more) => {
      test = await testApp()
      const { id } = await test.gate.person()
      expect((await signIn(await issueSignInToken(where(), id), more)).code).toBe('INVALID_FIELD')
    },
  )

  it('is not made stronger by a token that was made for a weaker one', async () => {
    test = await testApp()
    const { id } = await test.gate.person()
    const token = await issueSignInToken(where(), id)
    const { secretHash } = await import('../src/secret.js')
    await test.gate.store.transaction(async (tx) => {
      const taken = await tx.takeSignInToken(secretHash(token))
      if (taken) await tx.putSignInToken({ ...taken, via: 'cli' })
    })
    const headers = signedInHeaders(await signIn(token, { client: 'browser' }))
    expect((await test.ask('GET', '/api/session', { headers })).json.data.via).toBe('cli')
  })
})

describe('a session', () => {
  it('says who is signed in', async () => {
    test = await testApp()
    const { person, headers } = await test.signIn({ email: 'ada@example.com', roles: ['owner'] })
    expect((await test.ask('GET', '/api/session', { headers })).json.data.person).toEqual({
      id: person.id,
      email: 'ada@example.com',
      roles: ['owner'],
    })
  })

  it('is over after half a day', async () => {
    test = await testApp()
    const { headers } = await test.signIn()
    test.gate.clock.advance(SESSION_SECONDS * 1000)
    expect(await test.ask('GET', '/api/inbox', { headers })).toMatchObject({ status: 401 })
  })

  it('ends with the sign-out, and the cookie with it', async () => {
    test = await testApp()
    const { headers } = await test.signIn()
    const out = await test.ask('DELETE', '/api/session', { headers })
    expect(out.headers.getSetCookie()[0]).toMatch(/^sa_session_4747=; Max-Age=0; /)
    expect(await test.ask('GET', '/api/inbox', { headers })).toMatchObject({ status: 401 })
  })

  it('ends no other session of the same person', async () => {
    test = await testApp()
    const { person, headers } = await test.signIn()
    const other = signedInHeaders(await signIn(await issueSignInToken(where(), person.id)))
    await test.ask('DELETE', '/api/session', { headers: other })
    expect((await test.ask('GET', '/api/inbox', { headers })).status).toBe(200)
  })

  it('leaves nothing in the store that could be used', async () => {
    test = await testApp()
    const { headers } = await test.signIn()
    const { secretHash } = await import('../src/secret.js')
    const cookie = headers.cookie.split('=')[1] ?? ''
    const stored = JSON.stringify(await test.gate.store.sessionByCookieHash(secretHash(cookie)))
    expect([stored.includes('userId'), stored.includes(cookie), stored.includes(headers['x-sa-session'])]).toEqual([
      true,
      false,
      false,
    ])
  })

  it('stands in the log from the link to its end', async () => {
    test = await testApp()
    const { person, headers } = await test.signIn()
    await test.ask('DELETE', '/api/session', { headers })
    const leaves = await test.gate.store.leaves({ projectId: test.gate.project.id, from: 0, limit: 100 })
    const written = leaves.map(({ body }) => JSON.parse(body)).map(({ actor, events }) => [actor, events[0].type])
    expect(written.slice(-3)).toEqual([
      ['system:setup', 'sign_in_link.issued'],
      [`user:${person.id}`, 'session.opened'],
      [`user:${person.id}`, 'session.ended'],
    ])
  })
})

describe('a page on another port that got the cookie', () => {
  it.each([
    ['as a browser sends it', { origin: 'http://127.0.0.1:4748', 'sec-fetch-site': 'same-site' }],
    ['as a program sends it', {}],
    ['with a secret that it makes up', { 'x-sa-session': 'a'.repeat(43) }],
  ])('can neither read the inbox nor vote: %s', async (_, more) => {
    test = await testApp()
    const { id, intent_hash } = await test.declare()
    const { headers } = await test.signIn()
    const stolen = { cookie: headers.cookie, ...more }
    const read = await test.ask('GET', '/api/inbox', { headers: stolen })
    const review = await test.ask('GET', `/api/inbox/${id}`, { headers: stolen })
    const vote = await test.ask('POST', `/api/inbox/${id}/approve`, { headers: stolen, body: { intent_hash } })
    const { json } = await test.ask('GET', `/api/intents/${id}`, { headers: test.agent })
    expect([read.status, review.status, vote.status].every((status) => status === 401 || status === 403)).toBe(true)
    expect(json.data).toMatchObject({ status: 'pending', approvals: [] })
  })
})
