import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { generateSigningKey, isSilentAuthError, type KeyRing, SilentAuthError } from '@silentauth/core'
import { describe, expect, it } from 'vitest'
import { type KeysFrom, type PermitKeys, type PermitKeysOptions, permitKeys } from '../src/permit-keys.js'
import { aKey, type TestKey } from './a-permit.js'
import { loopback } from './loopback.js'

const [old, next] = [await aKey(), await aKey()]
const kids = ({ keys }: { keys: readonly { kid: string }[] }) => keys.map(({ kid }) => kid)
const setOf = (...keys: TestKey[]) => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) })

/** What a verification does with a permit whose key is not in the ring: the rings that it was run with. */
async function ringsFor(keys: PermitKeys, kid = 'unknown'): Promise<KeyRing[]> {
  const rings: KeyRing[] = []
  const work = async (ring: KeyRing) => {
    rings.push(ring)
    if (!ring.keys.some((key) => key.kid === kid)) throw new SilentAuthError('PERMIT_KID_UNKNOWN', kid)
  }
  await keys.with(work).catch((error) => {
    if (!isSilentAuthError(error) || error.code !== 'PERMIT_KID_UNKNOWN') throw error
  })
  return rings
}

describe('keys of a static set', () => {
  it('are the ring', async () => {
    await using keys = permitKeys({ keys: [old.jwk] })
    expect(kids(await keys.current())).toEqual([old.jwk.kid])
  })

  it('never become newer', async () => {
    await using keys = permitKeys({ keys: [old.jwk] })
    expect(await ringsFor(keys)).toHaveLength(1)
  })

  it('are refused at once when they break a rule', () => {
    expect(() => permitKeys({ keys: [{ ...old.jwk, alg: 'none' }] as never })).toThrow(
      expect.objectContaining({ code: 'KEY_REJECTED' }),
    )
  })
})

describe('the source of keys', () => {
  it.each<[string, unknown]>([
    ['http to another machine', 'http://gate.example.com/jwks.json'],
    ['an empty path', ''],
    ['an unknown protocol', new URL('ftp://gate.example.com')],
  ])('cannot be %s', (_, from) => {
    expect(() => permitKeys(from as KeysFrom)).toThrow(TypeError)
  })

  it('takes no limits that switch the limits off', () => {
    expect(() => permitKeys('keys.json', { cooldownSeconds: Number.NaN })).toThrow(TypeError)
  })
})

describe('keys of a pinned file', () => {
  it.each([
    ['path', (file: string) => file],
    ['file URL', (file: string) => pathToFileURL(file)],
    ['text of a file URL', (file: string) => pathToFileURL(file).href],
  ])('are read by %s', async (_, spell) => {
    await using file = await keyFile(setOf(old))
    await using keys = permitKeys(spell(file.path))
    expect(kids(await keys.current())).toEqual([old.jwk.kid])
  })

  it('are read again for an unknown key', async () => {
    await using file = await keyFile(setOf(old))
    let now = 0
    await using keys = permitKeys(file.path, { now: () => now })
    await keys.current()
    await writeFile(file.path, setOf(old, next))
    now += 30_000
    expect((await ringsFor(keys, next.jwk.kid)).map(kids)).toEqual([[old.jwk.kid], [old.jwk.kid, next.jwk.kid]])
  })

  it.each([
    ['is not there', undefined],
    ['is larger than 64 KB', `{"keys":[]}${' '.repeat(65_536)}`],
    ['is not JSON', 'keys'],
  ])('are none when it %s', async (_, contents) => {
    await using file = await keyFile(contents)
    await using keys = permitKeys(file.path)
    await expect(keys.current()).rejects.toMatchObject({ code: 'GATE_UNAVAILABLE' })
  })
})

describe('keys of a URL', () => {
  it('are fetched once for callers that come together', async () => {
    await using jwks = await jwksServer(setOf(old))
    await Promise.all(Array.from({ length: 20 }, () => jwks.keys.current()))
    expect(jwks.requests).toBe(1)
  })

  it('are kept until they are ten minutes old', async () => {
    await using jwks = await jwksServer(setOf(old))
    await jwks.keys.current()
    jwks.now += 599_999
    await jwks.keys.current()
    expect(jwks.requests).toBe(1)
  })

  it('lose a key that was removed, once they are ten minutes old', async () => {
    await using jwks = await jwksServer(setOf(old, next))
    await jwks.keys.current()
    jwks.set = setOf(next)
    jwks.now += 600_000
    expect(kids(await jwks.keys.current())).toEqual([next.jwk.kid])
  })

  it('gain a rotated key when a permit names it, after the cool-down', async () => {
    await using jwks = await jwksServer(setOf(old))
    await jwks.keys.current()
    jwks.set = setOf(old, next)
    jwks.now += 29_999
    expect(await ringsFor(jwks.keys, next.jwk.kid)).toHaveLength(1)
    jwks.now += 1
    expect((await ringsFor(jwks.keys, next.jwk.kid)).map(kids)).toEqual([[old.jwk.kid], [old.jwk.kid, next.jwk.kid]])
  })

  it('are not asked for again by a permit that is refused for something else', async () => {
    await using jwks = await jwksServer(setOf(old))
    await jwks.keys.current()
    jwks.now += 30_000
    const refused = jwks.keys.with(() => Promise.reject(new SilentAuthError('PERMIT_SIGNATURE', 'altered')))
    await expect(refused).rejects.toMatchObject({ code: 'PERMIT_SIGNATURE' })
    expect(jwks.requests).toBe(1)
  })

  it('keep their ring, and what was imported for it, while they stay the same', async () => {
    await using jwks = await jwksServer(setOf(old))
    const ring = await jwks.keys.current()
    jwks.now += 600_000
    await expect(jwks.keys.current()).resolves.toBe(ring)
    expect(jwks.requests).toBe(2)
  })

  it('are not fetched again by a clock that was set back within the cool-down', async () => {
    await using jwks = await jwksServer(setOf(old))
    await jwks.keys.current()
    jwks.now -= 29_000
    await ringsFor(jwks.keys)
    expect(jwks.requests).toBe(1)
  })
})

describe('a flood of unknown keys', () => {
  it.each([
    ['an endpoint that works', 200],
    ['an endpoint that fails', 500],
  ])('costs %s one request per cool-down', async (_, status) => {
    await using jwks = await jwksServer(setOf(old))
    await jwks.keys.current()
    jwks.status = status
    jwks.now += 30_000
    for (let seen = 0; seen < 100; seen++) await ringsFor(jwks.keys)
    await Promise.all(Array.from({ length: 100 }, () => ringsFor(jwks.keys)))
    expect(jwks.requests).toBe(2)
  })

  it('costs an endpoint that never answered one request per cool-down', async () => {
    await using jwks = await jwksServer(setOf(old), { status: 500 })
    for (let seen = 0; seen < 100; seen++) await jwks.keys.current().catch(() => undefined)
    expect(jwks.requests).toBe(1)
  })

  it('waits longer after each failure, at most five minutes', async () => {
    await using jwks = await jwksServer(setOf(old), { status: 500 })
    const waits: number[] = []
    for (let second = 0, before = 0; second <= 1400; second += 10) {
      jwks.now = second * 1000
      const asked = jwks.requests
      await jwks.keys.current().catch(() => undefined)
      if (jwks.requests === asked) continue
      waits.push(second - before)
      before = second
    }
    expect(waits).toEqual([0, 30, 60, 120, 240, 300, 300, 300])
  })
})

describe('an endpoint that is down', () => {
  it.each([
    ['a fresh set', 599, 'accepted'],
    ['a set of nearly a day', 86_399, 'accepted'],
    ['a set of a day', 86_400, 'GATE_UNAVAILABLE'],
  ])('leaves %s %#', async (_, seconds, expected) => {
    await using jwks = await jwksServer(setOf(old))
    await jwks.keys.current()
    jwks.status = 500
    jwks.now += seconds * 1000
    expect(await outcomeOf(jwks.keys.current())).toBe(expected)
  })

  it('leaves no set beyond the end that it names', async () => {
    await using jwks = await jwksServer(JSON.stringify({ keys: [old.jwk], exp: 700 }))
    await jwks.keys.current()
    jwks.status = 500
    jwks.now = 699_999
    expect(await outcomeOf(jwks.keys.current())).toBe('accepted')
    jwks.now = 700_000
    expect(await outcomeOf(jwks.keys.current())).toBe('GATE_UNAVAILABLE')
  })

  it('that hangs is given up', async () => {
    await using jwks = await jwksServer(setOf(old), { status: 'hang', timeoutMs: 20 })
    expect(await outcomeOf(jwks.keys.current())).toBe('GATE_UNAVAILABLE')
  })

  it('that hangs does not hold up disposal', async () => {
    const jwks = await jwksServer(setOf(old), { status: 'hang', timeoutMs: 600_000 })
    const waiting = outcomeOf(jwks.keys.current())
    await jwks.keys[Symbol.asyncDispose]()
    expect(await waiting).toBe('GATE_UNAVAILABLE')
    await jwks[Symbol.asyncDispose]()
  })
})

describe('a set that breaks a rule', async () => {
  const { d } = await generateSigningKey('EdDSA')
  const jwk = old.jwk as { kid: string }
  it.each([
    ['with a private key', JSON.stringify({ keys: [{ ...next.jwk, d }] })],
    ['with a shared secret', JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0', alg: 'HS256', kid: 'a' }] })],
    ['with two keys of one id', JSON.stringify({ keys: [next.jwk, { ...next.jwk, kid: jwk.kid }, jwk] })],
    [
      'of more than 32 keys',
      JSON.stringify({ keys: Array.from({ length: 33 }, (_, n) => ({ ...jwk, kid: `k${n}` })) }),
    ],
    ['of more than 64 KB', JSON.stringify({ keys: [next.jwk], pad: 'x'.repeat(65_536) })],
    ['that is not JSON', '<html>'],
    ['without keys', '{}'],
    ['with an end in words', JSON.stringify({ keys: [next.jwk], exp: 'never' })],
  ])('%s leaves the last good one', async (_, bad) => {
    await using jwks = await jwksServer(setOf(old))
    const ring = await jwks.keys.current()
    jwks.set = bad
    jwks.now += 600_000
    await expect(jwks.keys.current()).resolves.toBe(ring)
    expect(jwks.requests).toBe(2)
  })

  it('behind a redirect leaves the last good one', async () => {
    await using other = await loopback((_, response) => response.end(setOf(next)))
    await using jwks = await jwksServer(setOf(old))
    const ring = await jwks.keys.current()
    jwks.status = { location: other.url }
    jwks.now += 600_000
    await expect(jwks.keys.current()).resolves.toBe(ring)
  })
})

async function outcomeOf(keys: Promise<unknown>): Promise<string> {
  return keys.then(
    () => 'accepted',
    (error: { code: string }) => error.code,
  )
}

async function keyFile(contents: string | undefined) {
  const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-keys-'))
  const file = path.join(folder, 'public.jwks.json')
  if (contents !== undefined) await writeFile(file, contents)
  return { path: file, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

type Status = number | 'hang' | { location: string }

/** A JWKS endpoint, and keys that read it by a clock that starts at 0. */
async function jwksServer(set: string, options: { status?: Status; timeoutMs?: number } = {}) {
  const { status = 200, ...more } = options
  const own = { set, status: status as Status, now: 0, requests: 0 }
  const server = await loopback((_, response) => {
    own.requests++
    if (own.status === 'hang') return
    if (typeof own.status === 'object') response.writeHead(302, own.status).end()
    else response.writeHead(own.status, { 'content-type': 'application/json' }).end(own.set)
  })
  const keyOptions: PermitKeysOptions = { now: () => own.now, ...more }
  const keys = permitKeys(`${server.url}/.well-known/jwks.json`, keyOptions)
  return Object.assign(own, {
    keys,
    async [Symbol.asyncDispose]() {
      await keys[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  })
}
