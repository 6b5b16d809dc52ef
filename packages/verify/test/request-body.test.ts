import { describe, expect, it } from 'vitest'
import { jsonBody } from '../src/request-body.js'

const aRequest = (body: string | Uint8Array<ArrayBuffer>, type = 'application/json') =>
  new Request('http://127.0.0.1/refunds', { method: 'POST', headers: { 'content-type': type }, body })

describe('the body of a request', () => {
  it.each(['application/json', 'application/json; charset=utf-8', 'application/merge-patch+json', 'Application/JSON'])(
    'is parsed as %s',
    async (type) => {
      expect((await jsonBody(aRequest('{"amount":250}', type))).body).toEqual({ amount: 250 })
    },
  )

  it('can be read again', async () => {
    const { request } = await jsonBody(aRequest('{"amount":250}'))
    await expect(request.json()).resolves.toEqual({ amount: 250 })
  })

  it.each(['text/plain', 'application/jsonp', 'multipart/form-data; boundary=x'])(
    'is left alone as %s',
    async (type) => {
      const original = aRequest('{"amount":250}', type)
      const { body, request } = await jsonBody(original)
      expect([body, request.bodyUsed, request === original]).toEqual([undefined, false, true])
    },
  )

  it('is undefined when there is none', async () => {
    expect((await jsonBody(new Request('http://127.0.0.1/'))).body).toBeUndefined()
  })

  it.each([
    ['is no JSON', '{', 'INVALID_FIELD'],
    ['has a member twice', '{"amount":250,"amount":2500}', 'INVALID_FIELD'],
    ['has an escaped name', '{"\\u0061mount":250}', 'INVALID_FIELD'],
    ['sets a prototype', '{"__proto__":{"amount":250}}', 'INVALID_FIELD'],
    ['begins with a byte order mark', '\uFEFF{"amount":250}', 'INVALID_FIELD'],
    ['is not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 'INVALID_FIELD'],
    ['is too large', `{"note":"${'x'.repeat(100)}"}`, 'TOO_LARGE'],
  ])('is refused when it %s', async (_, body, code) => {
    await expect(jsonBody(aRequest(body), 100)).rejects.toMatchObject({ code })
  })
})
