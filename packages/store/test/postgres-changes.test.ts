import { type IntentId, localGate, newId, type Store } from '@silentauth/core'
import { principalOf, testGate } from '@silentauth/core/testing'
import { postgresStore } from '@silentauth/store/postgres'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js'
import { type PostgresProxy, postgresProxy } from '../../../test/support/postgres-proxy.js'
import { type ChangesOptions, type PostgresChanges, postgresChanges } from '../src/postgres-changes.js'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres?.stop())

const QUICK: ChangesOptions = { catchUpMs: 20, selfTestMs: 50, heardWithinMs: 200 }
const soon = { timeout: 20_000 }
const someIds = (count: number): IntentId[] => Array.from({ length: count }, () => newId('int'))

/** A node, as far as changes go. */
function node(url: string, options: ChangesOptions = QUICK) {
  const warnings: string[] = []
  const open = async () => {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }
  const changes = postgresChanges(open, { onWarning: (message) => warnings.push(message), ...options })
  const heard = new Set<IntentId>()
  const caughtUp = { times: 0 }
  const unsubscribe = changes.subscribe(
    (ids) => {
      for (const id of ids) heard.add(id)
    },
    () => caughtUp.times++,
  )
  return { changes, heard, caughtUp, warnings, unsubscribe, [Symbol.asyncDispose]: changes[Symbol.asyncDispose] }
}

const hears = (changes: PostgresChanges) => expect.poll(() => changes.hears, soon).toBe(true)

describe('changes', () => {
  it('reach every node, many ids in few notifications, each short enough for the database', async () => {
    const { url } = await postgres.createDatabase()
    await using one = node(url)
    await using other = node(url)
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const payloads: string[] = []
    client.on('notification', ({ payload = '' }) => payload.startsWith('int_') && payloads.push(payload))
    await client.query('listen silentauth_changes')
    await Promise.all([hears(one.changes), hears(other.changes)])
    const ids = someIds(1000)
    for (const id of ids) one.changes.publish([id])
    await expect
      .poll(() => [one.heard.size, other.heard.size, payloads.join().split(',').length], soon)
      .toEqual([1000, 1000, 1000])
    await client.end()
    expect(payloads.length).toBeLessThan(20)
    expect(Math.max(...payloads.map((payload) => Buffer.byteLength(payload)))).toBeLessThan(8000)
  })

  it('are too many to name: then everybody is to catch up', async () => {
    const { url } = await postgres.createDatabase()
    await using one = node(url)
    await using other = node(url)
    await Promise.all([hears(one.changes), hears(other.changes)])
    const before = other.caughtUp.times
    one.changes.publish(someIds(10_001))
    await expect.poll(() => other.caughtUp.times, soon).toBeGreaterThan(before)
    expect(other.heard.size).toBe(0)
  })

  it('reach the next subscriber when one fails', async () => {
    const { url } = await postgres.createDatabase()
    await using one = node(url)
    const fail = () => {
      throw new Error('a subscriber that fails')
    }
    await using other = node(url)
    other.unsubscribe()
    const heard: IntentId[] = []
    other.changes.subscribe(fail, fail)
    other.changes.subscribe(
      (ids) => heard.push(...ids),
      () => undefined,
    )
    await Promise.all([hears(one.changes), hears(other.changes)])
    const [id] = someIds(1) as [IntentId]
    one.changes.publish([id])
    await expect.poll(() => heard, soon).toEqual([id])
    expect(other.heard.size).toBe(0)
  })

  it('open no connection before somebody wants them, and leave none', async () => {
    await using proxy = await postgresProxy((await postgres.createDatabase()).url)
    const { changes } = await nodeWithoutSubscriber(proxy)
    expect(proxy.size).toBe(0)
    changes.publish(someIds(1))
    await hears(changes)
    await changes[Symbol.asyncDispose]()
    await expect.poll(() => proxy.size, soon).toBe(0)
  })
})

describe('a connection that is lost', () => {
  it('comes back by itself, after which everything is caught up and changes are heard again', async () => {
    const { url } = await postgres.createDatabase()
    await using proxy = await postgresProxy(url)
    await using cut = node(proxy.url, { ...QUICK, catchUpMs: 60_000 })
    await using other = node(url)
    await Promise.all([hears(cut.changes), hears(other.changes)])
    const before = cut.caughtUp.times
    proxy.cut()
    await expect.poll(() => cut.caughtUp.times, soon).toBeGreaterThan(before)
    await hears(cut.changes)
    const [id] = someIds(1) as [IntentId]
    other.changes.publish([id])
    await expect.poll(() => [...cut.heard], soon).toEqual([id])
  })

  it('does not lose what is told while it is away, and never fails', async () => {
    const own = await startPostgres({ own: true })
    await using _ = own
    await using one = node(own.url)
    await using other = node(own.url)
    await Promise.all([hears(one.changes), hears(other.changes)])
    await own.stopImmediately()
    await expect.poll(() => one.changes.hears, soon).toBe(false)
    const ids = someIds(3)
    one.changes.publish(ids)
    await own.start()
    const heardOrCaughtUp = async () => (await Promise.all([hears(one.changes), hears(other.changes)])) && true
    expect(await heardOrCaughtUp()).toBe(true)
    await expect.poll(() => one.heard.size, soon).toBe(3)
  })
})

describe('where notifications do not arrive, as behind a pooler of transactions', () => {
  it('is found out, said once, and made good by polling; and it stops when they arrive', async () => {
    await using proxy = await postgresProxy((await postgres.createDatabase()).url)
    proxy.loseNotifications = true
    await using one = node(proxy.url)
    await expect.poll(() => one.caughtUp.times, soon).toBeGreaterThan(20)
    expect([one.changes.hears, one.heard.size]).toEqual([false, 0])
    expect(one.warnings).toEqual([expect.stringContaining('pooler')])
    proxy.loseNotifications = false
    await hears(one.changes)
  })
})

it('a store tells of the changes of its database', async () => {
  const { url } = await postgres.createDatabase()
  await using store: Store = await postgresStore({ url })
  const heard: IntentId[] = []
  const [id] = someIds(1) as [IntentId]
  store.changes?.subscribe(
    (ids) => heard.push(...ids),
    () => undefined,
  )
  store.changes?.publish([id])
  await expect.poll(() => heard, soon).toEqual([id])
})

describe('a decision on one node wakes who waits on another', () => {
  const onlyByNode = async (url: string, changes: ChangesOptions) => {
    const clock = { now: Date.now, advance: () => undefined }
    const [here, there] = [await postgresStore({ url, ...changes }), await postgresStore({ url, ...changes })]
    const test = await testGate({ store: here, clock })
    const { issuer, projectId } = test.local
    const options = { signer: test.signer, projectId, issuer, publicUrl: 'http://127.0.0.1', sweepMs: 0, pollMs: 0 }
    const other = localGate({ store: there, ...options })
    const { id } = await test.gate.declare({ action: 'issue_refund', params: { amount: 5 } })
    const waiting = other.gateFor(principalOf(test.key)).wait(id)
    waiting.catch(() => undefined)
    return {
      test,
      id,
      waiting,
      async decide() {
        const { intentHash } = await test.local.desk.read(test.approver, id)
        await test.local.desk.vote(test.approver, id, { verdict: 'approve', intentHash })
      },
      async [Symbol.asyncDispose]() {
        await other[Symbol.asyncDispose]()
        await test[Symbol.asyncDispose]()
        await there[Symbol.asyncDispose]()
        await here[Symbol.asyncDispose]()
      },
    }
  }

  it('by a notification', async () => {
    await using two = await onlyByNode((await postgres.createDatabase()).url, { catchUpMs: 600_000 })
    await two.decide()
    expect((await two.waiting).status).toBe('approved')
  })

  it('by catching up where notifications do not arrive', async () => {
    await using proxy = await postgresProxy((await postgres.createDatabase()).url)
    proxy.loseNotifications = true
    await using two = await onlyByNode(proxy.url, { ...QUICK, heardWithinMs: 20 })
    await two.decide()
    expect((await two.waiting).status).toBe('approved')
  })

  it('when the connection was cut between, after it came back', async () => {
    await using proxy = await postgresProxy((await postgres.createDatabase()).url)
    await using two = await onlyByNode(proxy.url, { catchUpMs: 600_000 })
    proxy.cut()
    await expect
      .poll(
        () =>
          two.decide().then(
            () => 'decided',
            () => 'again',
          ),
        soon,
      )
      .toBe('decided')
    expect((await two.waiting).status).toBe('approved')
  })
})

async function nodeWithoutSubscriber({ url }: PostgresProxy) {
  const open = async () => {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }
  return { changes: postgresChanges(open, QUICK) }
}
