import {
  type HeldCheckpoint,
  heldInMemory,
  localGate,
  privateKeySigner,
  type Signer,
  type State,
  type Store,
} from '@silentauth/core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { aDraft, anAttempt, ISSUER, type LivingKeys, livingGate, livingKeys, PROJECT, passing } from './living-gate.js'
import { DURABLE, LOG_STORES, logStores } from './log-stores.js'

const DEFERRED = ['deferred memory', 'PostgreSQL'] as const
const stores = logStores()
const EXPORT = aDraft({ action: 'export_customers', riskTier: 'high', delivery: 'token' })
const EXPORTS = passing('export_*')
let keys: LivingKeys
beforeAll(async () => {
  keys = await livingKeys()
})
afterEach(() => void vi.useRealTimers())
afterAll(() => stores[Symbol.asyncDispose]())

/** The key of the log is away until it is told to come back. */
function awayKey(): { signer: LivingKeys['log']; comeBack(): void } {
  let away = true
  const sign: Signer['sign'] = (bytes) => (away ? Promise.reject(new Error('away')) : keys.log.sign(bytes))
  return {
    signer: { ...keys.log, sign },
    comeBack() {
      away = false
    },
  }
}

describe.each(LOG_STORES)('P6 over %s', (kind) => {
  it.each(['high', 'critical'] as const)(
    'hands a %s permit out once its leaf is in a held checkpoint',
    async (riskTier) => {
      await using store = await (await stores.make(kind)).open()
      const held = heldInMemory()
      await using living = await livingGate(store, keys, { held })
      const { id } = await living.approved({ riskTier })
      const claim = await living.agent.claim(id, anAttempt())
      expect(claim.type).toBe('granted')
      const issued = (await store.leavesOf(PROJECT, id)).find(({ body }) => body.includes('permit.issued'))
      expect(living.log.covers(issued ? [issued] : [])).toBe(true)
      expect(await held.read()).toBe(living.log.head()?.note)
    },
  )

  it('begins permit and deadline at sequencing, not at the claim', async () => {
    let now = Date.UTC(2026, 0, 5, 12)
    await using store = await (await stores.make(kind)).open({ now: () => now })
    const key = awayKey()
    await using living = await livingGate(store, keys, { signer: key.signer })
    const { id } = await living.approved({ riskTier: 'high' })
    const attempt = anAttempt()
    await expect(living.agent.claim(id, attempt)).rejects.toMatchObject({ code: 'NOT_SEQUENCED', retryAfterSeconds: 1 })
    expect(timesOf(await storedOf(store, id))).toEqual(['started', undefined, [undefined]])
    now += 60_000
    key.comeBack()
    expect(await living.agent.claim(id, attempt)).toMatchObject({ type: 'granted' })
    const { permits, execution } = await storedOf(store, id)
    expect([permits.map(({ iat }) => iat), execution.deadline]).toEqual([[now / 1000], now + 900_000])
  })

  it('lets nobody else in while the permit waits, and grants the same permit to the attempt that has it', async () => {
    await using store = await (await stores.make(kind)).open()
    const key = awayKey()
    await using living = await livingGate(store, keys, { signer: key.signer })
    const { id } = await living.approved({ riskTier: 'high' })
    const [mine, other] = [anAttempt(), anAttempt()]
    await expect(living.agent.claim(id, mine)).rejects.toMatchObject({ code: 'NOT_SEQUENCED' })
    expect(await living.agent.claim(id, other)).toMatchObject({ type: 'running' })
    await expect(living.agent.claim(id, mine)).rejects.toMatchObject({ code: 'NOT_SEQUENCED' })
    key.comeBack()
    expect(await living.agent.claim(id, other)).toMatchObject({ type: 'running' })
    const granted = await living.agent.claim(id, mine)
    expect([granted.type, await living.agent.claim(id, mine)]).toEqual(['granted', granted])
    expect((await storedOf(store, id)).permits).toHaveLength(1)
  })

  it('is done by the sweep for a claim that nobody repeats, also after the process that took it has died', async () => {
    const data = await stores.make(kind)
    const store = await data.open()
    const died = await livingGate(store, keys, awayKey())
    const { id } = await died.approved({ riskTier: 'high' })
    await expect(died.agent.claim(id, anAttempt())).rejects.toMatchObject({ code: 'NOT_SEQUENCED' })
    await died[Symbol.asyncDispose]()
    await using living = await livingGate(store, keys)
    await living.gate.sweep()
    expect((await storedOf(store, id)).permits[0]?.iat).toBeUndefined()
    await living.log.settle()
    await living.gate.sweep()
    expect(await storedOf(store, id)).toMatchObject({ execution: { state: 'started', deadline: expect.any(Number) } })
    await store[Symbol.asyncDispose]()
  })

  it('withholds the token of a high token delivery until then, and gives the same one afterwards', async () => {
    await using store = await (await stores.make(kind)).open()
    const key = awayKey()
    await using living = await livingGate(store, keys, { signer: key.signer })
    const { id, permitToken } = await living.approved({ riskTier: 'high', delivery: 'token' })
    expect(permitToken).toBeUndefined()
    expect((await living.agent.read(id)).permitToken).toBeUndefined()
    key.comeBack()
    const token = (await living.agent.read(id)).permitToken
    expect([typeof token, (await living.agent.read(id)).permitToken]).toEqual(['string', token])
    expect(timesOf(await storedOf(store, id))).toEqual(['delivered', undefined, [expect.any(Number)]])
  })

  it.each([
    ['', false],
    [', also when it takes the place of another one, in whose leaf it is declared', true],
  ])('withholds a high token that policy approves until its leaf is sequenced%s', async (_, succeeds) => {
    await using store = await (await stores.make(kind)).open()
    const key = awayKey()
    await using living = await livingGate(store, keys, { signer: key.signer, policies: [EXPORTS] })
    const supersedes = succeeds ? (await living.agent.declare(aDraft())).id : undefined
    const { id, permitToken, status } = await living.agent.declare({ ...EXPORT, supersedes })
    expect([status, permitToken, (await living.agent.read(id)).permitToken]).toEqual(['approved', undefined, undefined])
    await living.gate.sweep()
    expect(timesOf(await storedOf(store, id))).toEqual(['delivered', undefined, [undefined]])
    key.comeBack()
    expect((await living.agent.read(id)).permitToken).toBeTypeOf('string')
  })

  it('gives a permit that was cancelled meanwhile to nobody', async () => {
    await using store = await (await stores.make(kind)).open()
    const key = awayKey()
    await using living = await livingGate(store, keys, { signer: key.signer })
    const { id } = await living.approved({ riskTier: 'high', delivery: 'token' })
    await living.agent.cancel(id, 'no longer')
    key.comeBack()
    await living.log.settle()
    await living.gate.sweep()
    expect((await living.agent.read(id)).permitToken).toBeUndefined()
    const stored = await storedOf(store, id)
    expect(timesOf(stored)).toEqual(['delivered', undefined, [undefined]])
    expect(stored.permits[0]?.revokedAt).toBeTypeOf('number')
  })

  it.each(['low', 'medium'] as const)('does not hold a %s permit up', async (riskTier) => {
    await using store = await (await stores.make(kind)).open()
    await using living = await livingGate(store, keys, awayKey())
    const { id } = await living.approved({ riskTier })
    expect(await living.agent.claim(id, anAttempt())).toMatchObject({ type: 'granted' })
  })

  it('writes one leaf for it, which the log has too', async () => {
    await using store = await (await stores.make(kind)).open()
    await using living = await livingGate(store, keys)
    const { id } = await living.approved({ riskTier: 'high' })
    await living.agent.claim(id, anAttempt())
    await living.log.settle()
    const types = (await store.leavesOf(PROJECT, id)).map(({ body }) =>
      JSON.parse(body).events.map(({ type }: { type: string }) => type),
    )
    expect(types.slice(-2)).toEqual([['execution.started', 'permit.issued'], ['permit.sequenced']])
  })
})

it('P6 two nodes over one PostgreSQL: what the other one sequenced is handed out here', async () => {
  const data = await stores.make('PostgreSQL')
  await using first = await data.open()
  await using second = await data.open()
  await using one = await livingGate(first, keys, awayKey())
  await using other = await livingGate(second, keys)
  const { id } = await one.approved({ riskTier: 'critical' })
  const attempt = anAttempt()
  await expect(one.agent.claim(id, attempt)).rejects.toMatchObject({ code: 'NOT_SEQUENCED' })
  await other.log.settle()
  expect(await one.agent.claim(id, attempt)).toMatchObject({ type: 'granted' })
  expect((await storedOf(first, id)).permits).toHaveLength(1)
})

it('P6 two gates over one PostgreSQL: a claim hears that the other one released its permit, while its own log is held up', async () => {
  const data = await stores.make('PostgreSQL')
  // The longest that a claim waits never comes.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  await using first = await data.open()
  await using second = await data.open()
  const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const sign: Signer['sign'] = async (bytes) => {
    asked.resolve()
    await answered.promise
    return keys.log.sign(bytes)
  }
  await using one = await livingGate(first, keys, { signer: { ...keys.log, sign } })
  await using other = await livingGate(second, keys)
  try {
    const { id } = await one.approved({ riskTier: 'critical' })
    const claim = one.agent.claim(id, anAttempt())
    await asked.promise
    await other.log.settle()
    expect(await claim).toMatchObject({ type: 'granted' })
    expect(one.log.head()).toBeUndefined()
    expect((await storedOf(first, id)).permits).toHaveLength(1)
  } finally {
    answered.resolve()
  }
})

describe.each(DEFERRED)('P6 over %s', (kind) => {
  it('waits for ever where nothing sequences', async () => {
    await using store = await (await stores.make(kind)).open()
    await using living = await livingGate(store, keys, { without: 'log' })
    const { id } = await living.approved({ riskTier: 'high' })
    const attempt = anAttempt()
    for (let turn = 0; turn < 2; turn++) {
      await expect(living.agent.claim(id, attempt)).rejects.toMatchObject({ code: 'NOT_SEQUENCED' })
      await living.log.settle()
      await living.gate.sweep()
    }
  })
})

describe.each(['memory', 'SQLite'] as const)('a high claim over %s', (kind) => {
  it('waits for nothing where nothing is held outside: its leaf has its place at once', async () => {
    await using store = await (await stores.make(kind)).open()
    await using living = await livingGate(store, keys, { without: 'log' })
    const { id } = await living.approved({ riskTier: 'high' })
    expect(await living.agent.claim(id, anAttempt())).toMatchObject({ type: 'granted' })
  })

  it('P6 waits for the file that holds the checkpoint, not for the signature alone', async () => {
    await using store = await (await stores.make(kind)).open()
    let full = true
    let note: string | undefined
    const held: HeldCheckpoint = {
      read: async () => note,
      async write(newer) {
        if (full) throw new Error('the disk is full')
        note = newer
      },
    }
    await using living = await livingGate(store, keys, { held })
    const { id } = await living.approved({ riskTier: 'critical' })
    const attempt = anAttempt()
    await expect(living.agent.claim(id, attempt)).rejects.toMatchObject({ code: 'NOT_SEQUENCED' })
    expect((await storedOf(store, id)).permits[0]?.iat).toBeUndefined()
    full = false
    expect(await living.agent.claim(id, attempt)).toMatchObject({ type: 'granted' })
    expect(await held.read()).toBe(living.log.head()?.note)
  })
})

describe.each(LOG_STORES)('a medium claim over %s', (kind) => {
  it('needs no checkpoint, and is signed into one afterwards', async () => {
    await using store = await (await stores.make(kind)).open()
    await using living = await livingGate(store, keys)
    const { id } = await living.approved({ riskTier: 'medium' })
    expect(await living.agent.claim(id, anAttempt())).toMatchObject({ type: 'granted' })
    await living.log.settle()
    expect(living.log.covers(await store.leavesOf(PROJECT, id))).toBe(true)
  })
})

describe.each(DURABLE)('R1 over %s, while the log is not what is held of it', (kind) => {
  it('nothing is claimed, redeemed or handed out; what was done before stays done', async () => {
    const data = await stores.make(kind)
    await using store = await data.open()
    await using living = await livingGate(store, keys)
    const claimed = await living.approved()
    const waiting = await living.approved()
    const delivered = await living.approved({ delivery: 'token' })
    const grant = await living.agent.claim(claimed.id, anAttempt())
    await living.log.settle()
    await data.tamper('update audit_checkpoints set size = size + 1000')

    const token = grant.type === 'granted' ? grant.permit : ''
    const request = {
      token,
      redemptionId: 'redemption-0123456789',
      action: 'issue_refund',
      audience: `urn:silentauth:${PROJECT}:issue_refund`,
      paramsDigest: claimed.paramsDigest,
    }
    await expect(living.agent.claim(waiting.id, anAttempt())).rejects.toMatchObject({ code: 'LOG_REWRITTEN' })
    await expect(living.gate.counter.redeem(living.verifier, request)).rejects.toMatchObject({ code: 'LOG_REWRITTEN' })
    expect((await living.agent.read(delivered.id)).permitToken).toBeUndefined()
    expect((await storedOf(store, waiting.id)).execution.state).toBe('none')
    expect((await storedOf(store, claimed.id)).redemptions).toEqual([])

    await data.tamper('update audit_checkpoints set size = size - 1000')
    await living.log.settle()
    expect(await living.agent.claim(waiting.id, anAttempt())).toMatchObject({ type: 'granted' })
    expect(await living.gate.counter.redeem(living.verifier, request)).toEqual({ replayed: false })
    expect((await living.agent.read(delivered.id)).permitToken).toBeTypeOf('string')
  })
})

it('a gate takes the log of its own project only', async () => {
  await using store = await (await stores.make('memory')).open()
  await using living = await livingGate(store, keys)

  const signer = await privateKeySigner(keys.permit)
  const options = {
    store,
    signer,
    issuer: ISSUER,
    publicUrl: 'http://127.0.0.1:1',
    projectId: 'prj_other',
    log: living.log,
  } as const
  expect(() => localGate(options)).toThrow(TypeError)
})

async function storedOf(store: Store, id: Parameters<Store['intent']>[0]) {
  const state = await store.intent(id)
  if (!state) throw new Error(`${id} is not stored`)
  return state
}

function timesOf({ execution, permits }: State) {
  return [execution.state, execution.deadline, permits.map(({ iat }) => iat)]
}
