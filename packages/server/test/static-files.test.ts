import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { type TestApp, testApp } from './test-app.js'

const folder = mkdtempSync(path.join(tmpdir(), 'silentauth-pages-'))
mkdirSync(path.join(folder, 'assets'))
writeFileSync(path.join(folder, 'index.html'), '<!doctype html><title>inbox</title>')
writeFileSync(path.join(folder, 'assets', 'app-abc123.js'), 'export {}')
writeFileSync(path.join(path.dirname(folder), 'silentauth-outside.txt'), 'outside')
afterAll(() => {
  rmSync(folder, { recursive: true })
  rmSync(path.join(path.dirname(folder), 'silentauth-outside.txt'))
})

let test: TestApp
afterEach(() => test[Symbol.asyncDispose]())

describe('the dashboard', () => {
  it.each(['/', '/sign-in', '/inbox', '/inbox/int_1', '/index.html'])(
    'is one page at %s, which nobody keeps',
    async (at) => {
      test = await testApp({ app: { dashboardDir: folder } })
      const { status, headers, text } = await test.ask('GET', at)
      expect([
        status,
        headers.get('content-type'),
        headers.get('cache-control'),
        text.includes('<title>inbox'),
      ]).toEqual([200, 'text/html; charset=utf-8', 'no-store', true])
    },
  )

  it('keeps what has a hash in its name for good', async () => {
    test = await testApp({ app: { dashboardDir: folder } })
    const { headers } = await test.ask('GET', '/assets/app-abc123.js')
    expect([headers.get('content-type'), headers.get('cache-control')]).toEqual([
      'text/javascript; charset=utf-8',
      'public, max-age=31536000, immutable',
    ])
  })

  it('runs nothing but itself, and stands in no frame', async () => {
    test = await testApp({ app: { dashboardDir: folder } })
    const { headers } = await test.ask('GET', '/inbox')
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; " +
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      'cross-origin-opener-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    })
  })

  it.each([
    '/../silentauth-outside.txt',
    '/..%2fsilentauth-outside.txt',
    '/%2e%2e/silentauth-outside.txt',
    '/assets/../../silentauth-outside.txt',
    '/assets/..\\..\\silentauth-outside.txt',
    '/inbox/int_1/other',
    '/assets/',
    '/assets/missing.js',
    '/constructor',
    '/__proto__',
  ])('gives nothing at %s', async (at) => {
    test = await testApp({ app: { dashboardDir: folder } })
    expect(await test.ask('GET', at)).toMatchObject({ status: 404, code: 'NOT_FOUND' })
  })

  it('gives browsers that ask for an icon no error', async () => {
    test = await testApp({ app: { dashboardDir: folder } })
    expect((await test.ask('GET', '/favicon.ico')).status).toBe(204)
  })

  it('is not there without a build', async () => {
    test = await testApp()
    expect((await test.ask('GET', '/inbox')).status).toBe(404)
  })
})

describe('answers of the API', () => {
  it('are kept by nobody, shown as no page, and read by no other origin', async () => {
    test = await testApp()
    const { headers } = await test.ask('GET', '/api/intents', { headers: test.agent })
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.stringMatching(/^req_/),
    })
    expect(headers.has('access-control-allow-origin')).toBe(false)
  })
})
