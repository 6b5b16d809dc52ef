import { describe, expect, it } from 'vitest'
import { gateAnswer } from '../src/gate-answer.js'

const answerOf = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  gateAnswer({
    status,
    headers: new Headers(headers),
    text: async () => (typeof body === 'string' ? body : JSON.stringify(body)),
  })
const error = (code: unknown, message = 'not now') => ({ data: null, error: { code, message, hint: '' } })

describe('the answer of a gate', () => {
  it.each([200, 201])('is data with HTTP %i', async (status) => {
    await expect(answerOf(status, { data: { id: 'int_1' }, error: null })).resolves.toEqual({
      type: 'data',
      status,
      body: { data: { id: 'int_1' }, error: null },
    })
  })

  it.each([
    [404, 'NOT_FOUND', false],
    [403, 'AGENT_PAUSED', false],
    [503, 'NOT_SEQUENCED', false],
    [429, 'RATE_LIMITED', true],
    [500, 'DB_ERROR', true],
    [503, 'AUDIT_UNAVAILABLE', true],
    [503, 'TOO_MANY_WAITERS', true],
  ])('with HTTP %i and %s is that refusal', async (status, code, transient) => {
    await expect(answerOf(status, error(code))).resolves.toMatchObject({ type: 'refused', transient, error: { code } })
  })

  it.each([
    ['a page of a proxy', 502, '<html>', true],
    ['a page of something else', 404, '<html>', false],
    ['text that is cut off', 200, '{"data":{"id"', true],
    ['a list', 200, [], true],
    ['null', 200, 'null', true],
    ['neither data nor an error', 200, {}, false],
    ['success with an error', 200, error('WHATEVER'), false],
    ['data with HTTP 500', 500, { data: {}, error: null }, true],
    ['a code of a newer gate', 409, error('QUORUM_OF_ROBOTS'), false],
    ['a code of a newer gate in trouble', 503, error('WARMING_UP'), true],
    ['a code that only clients make', 409, error('EXECUTION_RUNNING'), false],
    ['a code that is no text', 409, error(7), false],
    ['a code that every object has', 409, error('constructor'), false],
    ['a redirect', 302, { data: {}, error: null }, false],
    ['a redirect that was hidden', 0, '', false],
  ])('is no answer when it is %s', async (_, status, body, transient) => {
    await expect(answerOf(status, body)).resolves.toMatchObject({
      type: 'refused',
      transient,
      error: { code: 'GATE_UNAVAILABLE' },
    })
  })

  it('does not repeat a code that the message begins with', async () => {
    await expect(answerOf(404, error('NOT_FOUND', 'NOT_FOUND: int_1'))).resolves.toMatchObject({
      error: { message: 'NOT_FOUND: int_1' },
    })
  })

  it.each([
    ['seconds', '7', 7],
    ['far too many seconds', '86400', 3600],
    ['a date in the past', 'Mon, 16 Mar 2020 12:00:00 GMT', 0],
    ['a date far away', 'Mon, 16 Mar 2099 12:00:00 GMT', 3600],
    ['nonsense', 'soon', undefined],
  ])('says when to come back: %s', async (_, value, seconds) => {
    const answer = await answerOf(429, error('RATE_LIMITED'), { 'retry-after': value })
    expect(answer).toMatchObject({ error: { retryAfterSeconds: seconds } })
  })
})
