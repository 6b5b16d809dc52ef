import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  keyRing,
  type Revocable,
  type RevocationClaims,
  revocationClaims,
  type Signer,
  type StoredRevocations,
  signRevocationList,
} from '@silentauth/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type RevocationPoll, type RevocationsFrom, revocationPoll } from '../src/revocation-poll.js'
import { aKey, ISSUER, NOW, PROJECT } from './a-permit.js'
import { loopback } from './loopback.js'

const [listKey, permitKey] = [await aKey(), await aKey()]
const PERMIT: Revocable = {
  jti: 'pmt_1',
  kid: permitKey.signer.kid,
  sub: 'agent:agt_1',
  intentId: 'int_1',
  declaredBy: 'key:key_1',
}
const NOTHING: StoredRevocations = { permits: [], agents: [], keys: [] }
const PAUSED: StoredRevocations = { ...NOTHING, agents: ['agt_1'] }

const aList = (now: number, stored = NOTHING, changes: Partial<RevocationClaims> = {}, by: Signer = listKey.signer) =>
  signRevocationList(
    { ...revocationClaims(stored, { issuer: ISSUER, projectId: PROJECT, kids: [], number: now, now }), ...changes },
    by,
  )

/** A source whose text and clock the test moves. */
async function scene({ fails = false, ...from }: Partial<RevocationsFrom> & { fails?: boolean } = {}) {
  const at = { now: NOW, list: await aList(NOW), reads: 0, fails }
  const permitKeys = async () => keyRing([permitKey.jwk])
  const poll = revocationPoll(
    {
      keys: { keys: [listKey.jwk] },
      read: async () => {
        at.reads++
        if (at.fails) throw new Error('away')
        return at.list
      },
      ...from,
    } as RevocationsFrom,
    { issuer: ISSUER, projectId: PROJECT, now: () => at.now, permitKeys },
  )
  opened.push(poll)
  return Object.assign(at, { poll })
}
const opened: RevocationPoll[] = []
afterEach(async () => {
  for (const poll of opened.splice(0)) await poll[Symbol.asyncDispose]()
  vi.useRealTimers()
})
const unavailable = { code: 'GATE_UNAVAILABLE' }

describe('a revocation poll', () => {
  it('says whether the list revokes a permit, and when that list was signed', async () => {
    const at = await scene()
    await expect(at.poll.look(PERMIT)).resolves.toEqual({ revoked: false, listAt: NOW })
  })

  it('hears of a kill switch with the next list (P4)', async () => {
    const at = await scene({ pollMs: 20 })
    await at.poll.look(PERMIT)
    at.list = await aList(NOW + 1000, PAUSED)
    await vi.waitFor(async () => expect((await at.poll.look(PERMIT)).revoked).toBe(true))
  })

  it.each([
    ['the last second that it is good, skew included', 124_999],
    ['a moment after it was signed', 1],
  ])('keeps the last good list while its source fails: %s (P5)', async (_, later) => {
    const at = await scene()
    await at.poll.current()
    at.fails = true
    at.now += later
    await expect(at.poll.look(PERMIT)).resolves.toMatchObject({ listAt: NOW })
  })

  it('refuses everything once the last good list is over: nothing is believed for longer than 120 s plus skew (P5)', async () => {
    const at = await scene()
    await at.poll.current()
    at.fails = true
    at.now += 125_000
    await expect(at.poll.look(PERMIT)).rejects.toMatchObject(unavailable)
  })

  it('refuses everything when only an old list comes: whoever holds it back gains 120 s plus skew, and no more (P5)', async () => {
    const at = await scene()
    await at.poll.current()
    at.now += 125_000
    await expect(at.poll.look(PERMIT)).rejects.toMatchObject(unavailable)
    expect(at.reads).toBeGreaterThan(1)
  })

  it('accepts again as soon as there is a current list', async () => {
    const at = await scene()
    await at.poll.current()
    at.now += 125_000
    at.list = await aList(at.now)
    await expect(at.poll.look(PERMIT)).resolves.toEqual({ revoked: false, listAt: at.now })
  })

  it('does not let a list live longer when the clock is set back', async () => {
    vi.useFakeTimers({ now: NOW })
    const at = await scene()
    await at.poll.current()
    at.fails = true
    await vi.advanceTimersByTimeAsync(126_000)
    at.now = NOW
    await expect(at.poll.look(PERMIT)).rejects.toMatchObject(unavailable)
  })

  it.each<[string, () => Promise<string>]>([
    ['signed with the permit key', () => aList(NOW + 1000, NOTHING, {}, permitKey.signer)],
    ['of an earlier moment', () => aList(NOW - 1000)],
    ['of another issuer', () => aList(NOW + 1000, NOTHING, { iss: 'https://evil.example.com' })],
    ['of another project', () => aList(NOW + 1000, NOTHING, { project_id: 'prj_other' })],
    ['that begins later', () => aList(NOW + 60_000)],
    ['that is no list', async () => 'list'],
    ['that is no text', async () => undefined as never],
  ])('keeps what it has when it is given a list %s', async (_, other) => {
    const at = await scene({ pollMs: 20 })
    at.list = await aList(NOW + 500, PAUSED)
    await vi.waitFor(async () => expect((await at.poll.look(PERMIT)).revoked).toBe(true))
    at.list = await other()
    const before = at.reads
    await vi.waitFor(() => expect(at.reads).toBeGreaterThan(before + 1))
    await expect(at.poll.look(PERMIT)).resolves.toMatchObject({ revoked: true })
  })

  it('refuses everything while the first list is signed with the permit key', async () => {
    const at = await scene()
    at.list = await aList(NOW, NOTHING, {}, permitKey.signer)
    const poll = revocationPoll(
      { keys: { keys: [listKey.jwk] }, read: async () => at.list },
      { issuer: ISSUER, projectId: PROJECT, now: () => NOW },
    )
    opened.push(poll)
    await expect(poll.current()).rejects.toMatchObject(unavailable)
  })

  it('refuses everything while a permit key is pinned for lists', async () => {
    const at = await scene({ keys: { keys: [listKey.jwk, permitKey.jwk] } })
    await expect(at.poll.current()).rejects.toMatchObject(unavailable)
  })

  it('reads once for callers that come together', async () => {
    const at = await scene()
    await Promise.all(Array.from({ length: 50 }, () => at.poll.look(PERMIT)))
    expect(at.reads).toBe(1)
  })

  it('backs off from a source that fails, and no further than its pause between readings', async () => {
    vi.useFakeTimers({ now: NOW })
    const times: number[] = []
    const poll = revocationPoll(
      {
        keys: { keys: [listKey.jwk] },
        pollMs: 15_000,
        read: async () => {
          times.push(Date.now())
          throw new Error('away')
        },
      },
      { issuer: ISSUER, projectId: PROJECT },
    )
    opened.push(poll)
    await vi.advanceTimersByTimeAsync(180_000)
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0))
    const bounds = pauses.map((_, index) => Math.min(500 * 2 ** index, 15_000))
    expect(pauses.length).toBeGreaterThan(10)
    expect(pauses.every((pause, index) => pause <= (bounds[index] ?? 0) && pause >= (bounds[index] ?? 0) * 0.74)).toBe(
      true,
    )
  })

  it('is not made to ask more often by permits that come while there is no list', async () => {
    vi.useFakeTimers({ now: NOW })
    const at = await scene({ fails: true })
    await expect(at.poll.look(PERMIT)).rejects.toMatchObject(unavailable)
    const before = at.reads
    for (let index = 0; index < 100; index++) await at.poll.look(PERMIT).catch(() => undefined)
    expect(at.reads).toBe(before)
  })

  it('asks nobody any more once it is disposed', async () => {
    const at = await scene({ pollMs: 20 })
    await at.poll.current()
    await at.poll[Symbol.asyncDispose]()
    const { reads } = at
    await expect(at.poll.look(PERMIT)).rejects.toMatchObject(unavailable)
    expect(at.reads).toBe(reads)
  })
})

describe('the source of lists', () => {
  const about = { issuer: ISSUER, projectId: PROJECT, now: () => NOW }
  const keys = { keys: [listKey.jwk] }

  it.each<[string, object]>([
    ['nowhere', { keys }],
    ['two places', { keys, file: 'list', url: 'https://gate.example.com' }],
    ['http to another machine', { keys, url: 'http://gate.example.com/list' }],
    ['keys from a URL', { keys: 'https://gate.example.com/jwks.json', file: 'list' }],
    ['no keys', { file: 'list' }],
    ['readings further apart than a minute', { keys, file: 'list', pollMs: 60_001 }],
    ['readings without a pause', { keys, file: 'list', pollMs: 0 }],
  ])('cannot be %s', (_, from) => {
    expect(() => revocationPoll(from as RevocationsFrom, about)).toThrow(TypeError)
  })

  it('can be a URL of the gate, asked without following anybody elsewhere', async () => {
    const list = await aList(NOW)
    await using elsewhere = await loopback((_, response) => response.end(list))
    await using gate = await loopback((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: elsewhere.url }).end()
      else response.end(list)
    })
    await using direct = revocationPoll({ keys, url: gate.url }, about)
    await expect(direct.current()).resolves.toMatchObject({ number: NOW })
    await using moved = revocationPoll({ keys, url: `${gate.url}/moved` }, about)
    await expect(moved.current()).rejects.toMatchObject(unavailable)
  })

  it.each([
    ['an error', 500, 'no'],
    ['more than two megabytes', 200, 'x'.repeat(2_097_153)],
  ])('gives no list when it answers with %s', async (_, status, body) => {
    await using gate = await loopback((_request, response) => response.writeHead(status).end(body))
    await using poll = revocationPoll({ keys, url: gate.url }, about)
    await expect(poll.current()).rejects.toMatchObject(unavailable)
  })

  it('can be files: one that something keeps current, and the pinned keys of the gate', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-poll-'))
    try {
      const [file, keyFile] = [path.join(folder, 'list'), path.join(folder, 'revocations.jwks.json')]
      await writeFile(file, `${await aList(NOW)}\n`)
      await writeFile(keyFile, JSON.stringify(keys))
      await using poll = revocationPoll({ keys: keyFile, file }, about)
      await expect(poll.current()).resolves.toMatchObject({ number: NOW })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
