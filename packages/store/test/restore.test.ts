import {
  acceptRestore,
  type HeldCheckpoint,
  heldInMemory,
  type IntentId,
  openCheckpoint,
  type Store,
  sequencer,
} from '@silentauth/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ANN,
  aDraft,
  anAttempt,
  ISSUER,
  type LivingKeys,
  livingGate,
  livingKeys,
  PROJECT,
  passing,
} from './living-gate.js'
import { DURABLE, logStores } from './log-stores.js'

const stores = logStores()
let keys: LivingKeys
beforeAll(async () => {
  keys = await livingKeys()
})
afterAll(() => stores[Symbol.asyncDispose]())

const READS = passing('read_*', { intent: { executionWindowSeconds: 7200 } })

describe.each(DURABLE)('an older backup of %s', (kind) => {
  it('R1 does not open', async () => {
    const data = await stores.make(kind)
    const held = heldInMemory()
    const backup = await lose(data, held, async ({ approved, agent }) => {
      const { id } = await approved()
      await agent.claim(id, anAttempt())
    })
    await backup.restore()
    await using store = await data.open()
    await expect(livingGate(store, keys, { held })).rejects.toMatchObject({ code: 'LOG_REWRITTEN', field: 'held' })
  })

  it('R1 restored under a gate that runs: what was executed before is not granted again, and nothing is signed', async () => {
    const data = await stores.make(kind)
    await using store = await data.open()
    await using living = await livingGate(store, keys)
    const { id } = await living.approved()
    const token = await living.approved({ delivery: 'token' })
    await living.log.settle()
    const backup = await data.backup()
    expect(await settled(() => living.agent.claim(id, anAttempt()))).toMatchObject({ type: 'granted' })
    await living.log.settle()
    const head = living.log.head()

    await backup.restore()
    const again = await settled(() => living.agent.claim(id, anAttempt()))
    expect(again).toMatchObject({ code: 'LOG_REWRITTEN' })
    expect(await settled(() => living.agent.read(token.id))).toMatchObject({ permitToken: undefined })
    // Declares are still written, which makes no difference.
    expect(await settled(() => living.agent.declare(aDraft()))).toMatchObject({ status: 'pending' })
    expect(await settled(() => living.log.settle())).toMatchObject({ code: 'LOG_REWRITTEN', field: 'held' })
    expect(living.log.head()).toEqual(head)
    expect((await store.intent(id))?.execution.state).toBe('none')
  })

  it('R2 is accepted: what was pending expires, what did not begin is abandoned, what began is unknown', async () => {
    const data = await stores.make(kind)
    const held = heldInMemory()
    const ids: Record<string, IntentId> = {}
    const backup = await lose(
      data,
      held,
      async ({ agent }) => {
        await agent.claim(ids.none as IntentId, anAttempt())
      },
      async ({ agent, approved }) => {
        ids.pending = (await agent.declare(aDraft())).id
        ids.none = (await approved()).id
        ids.delivered = (await approved({ delivery: 'token' })).id
        ids.started = (await approved()).id
        await agent.claim(ids.started, anAttempt())
        ids.suspended = (await approved({ reenters: true })).id
        const attempt = anAttempt()
        await agent.claim(ids.suspended, attempt)
        await agent.report(ids.suspended, attempt, { status: 'suspended' })
        ids.succeeded = (await approved()).id
        const done = anAttempt()
        await agent.claim(ids.succeeded, done)
        await agent.report(ids.succeeded, done, { status: 'succeeded' })
      },
    )
    const before = await held.read()
    await backup.restore()
    await using store = await data.open()
    const report = await accept(store, held)
    expect(report).toMatchObject({ epoch: 1, expired: 1, abandoned: 1, unknown: 3, agentsPaused: 1, keysDisabled: 2 })

    const states = await Promise.all(Object.values(ids).map((id) => store.intent(id)))
    expect(states.map((state) => [state?.status, state?.execution.state])).toEqual([
      ['expired', 'none'],
      ['approved', 'abandoned'],
      ['approved', 'unknown'],
      ['approved', 'unknown'],
      ['approved', 'unknown'],
      ['approved', 'succeeded'],
    ])
    expect(states[0]?.resolution).toMatchObject({ by: 'operator' })
    const live = states.flatMap((state) => state?.permits.filter(({ revokedAt }) => revokedAt === undefined) ?? [])
    expect(live).toEqual([])
    expect((await store.agents(PROJECT)).map(({ status }) => status)).toEqual(['paused'])
    expect((await store.keys(PROJECT)).map(({ status }) => status)).toEqual(['disabled', 'disabled'])

    const [first] = await store.leaves({ projectId: PROJECT, from: report.restoredSize, limit: 1 })
    const lost = await openCheckpoint(before ?? '', [keys.log])
    expect(JSON.parse(first?.body ?? '')).toMatchObject({
      actor: 'system:restore',
      events: [
        {
          type: 'log.restored',
          data: { epoch: 1, restored_size: report.restoredSize, held: { epoch: 0, size: lost.size, root: lost.root } },
        },
      ],
    })
    expect(await openCheckpoint((await held.read()) ?? '', [keys.log])).toMatchObject({ epoch: 1, log: keys.log.name })
  })

  it('R2 executes nothing twice: not by the same agent, not by another attempt, not by an old permit', async () => {
    const data = await stores.make(kind)
    const held = heldInMemory()
    let id: IntentId = 'int_none'
    let permit = ''
    const attempt = anAttempt()
    const backup = await lose(
      data,
      held,
      async ({ agent }) => {
        const claim = await agent.claim(id, attempt)
        permit = claim.type === 'granted' ? claim.permit : ''
        await agent.report(id, attempt, { status: 'succeeded' })
      },
      async ({ approved }) => {
        id = (await approved()).id
      },
    )
    await backup.restore()
    await using store = await data.open()
    await accept(store, held)
    await using living = await livingGate(store, keys, { held })
    await expect(living.agent.claim(id, anAttempt())).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    await enable(store)
    for (const again of [attempt, anAttempt()]) {
      expect(await living.agent.claim(id, again)).toEqual({ type: 'closed', reason: 'abandoned' })
    }
    const { paramsDigest, audience } = await living.agent.read(id)
    const request = {
      token: permit,
      redemptionId: 'redemption-0123456789',
      action: 'issue_refund',
      paramsDigest,
      audience,
    }
    await expect(living.gate.counter.redeem(living.verifier, request)).rejects.toMatchObject({ code: 'PERMIT_REVOKED' })
  })

  it('R2 lets no policy approve by itself until the longest window of before has passed', async () => {
    let now = Date.UTC(2026, 0, 5, 12)
    const data = await stores.make(kind)
    const held = heldInMemory()
    const clock = { now: () => now }
    const backup = await lose(data, held, async ({ approved }) => void (await approved()), undefined, clock)
    await backup.restore()
    await using store = await data.open(clock)
    const { cautiousUntil } = await accept(store, held)
    expect(cautiousUntil).toBe(now + 7_200_000)
    await using living = await livingGate(store, keys, { held })
    await enable(store)
    const read = () => living.agent.declare(aDraft({ action: 'read_orders' }))
    const careful = await read()
    expect(careful).toMatchObject({ decision: 'require_approval', status: 'pending', approvalsRequired: 1 })
    now = cautiousUntil
    expect(await read()).toMatchObject({ decision: 'auto_approve', status: 'approved' })
  })

  it('R2 ends sessions and takes sign-in links out', async () => {
    const data = await stores.make(kind)
    await using store = await data.open()
    const held = heldInMemory()
    await using living = await livingGate(store, keys, { held })
    const session = {
      id: 'ses_1',
      projectId: PROJECT,
      userId: ANN.id,
      via: 'session',
      secretHash: 's',
      cookieHash: 'c',
    } as const
    const token = { tokenHash: 't', projectId: PROJECT, userId: ANN.id, via: 'session' } as const
    const expiresAt = (await store.now()) + 600_000
    await store.transaction(async (tx) => {
      await tx.putSession({ ...session, createdAt: 0, expiresAt })
      await tx.putSignInToken({ ...token, expiresAt })
    })
    await living.log.settle()
    await accept(store, held)
    expect(await store.sessionByCookieHash('c')).toBeUndefined()
    expect(await store.transaction((tx) => tx.takeSignInToken('t'))).toBeUndefined()
  })

  it('R2 goes on under nodes that held what was given up, and not under one that held more', async () => {
    const data = await stores.make(kind)
    const held = heldInMemory()
    const early = heldInMemory()
    const backup = await lose(data, held, async ({ approved, log }) => {
      await approved()
      await log.settle()
      await early.write(log.head()?.note ?? '')
      await approved()
    })
    const more = heldInMemory(await held.read())
    await backup.restore()
    await using store = await data.open()
    await accept(store, early)
    for (const node of [early, heldInMemory()]) {
      await using log = await open(store, node)
      expect(log.head()).toMatchObject({ epoch: 1 })
    }
    await expect(open(store, more)).rejects.toMatchObject({ code: 'LOG_REWRITTEN', field: 'held' })
  })

  it('R2 can be needed again, also for a backup of before the last restore', async () => {
    const data = await stores.make(kind)
    const held = heldInMemory()
    const backup = await lose(data, held, async ({ approved }) => void (await approved()))
    await backup.restore()
    const first = await data.open()
    expect(await accept(first, held)).toMatchObject({ epoch: 1 })
    await first[Symbol.asyncDispose]()
    const later = await data.backup()
    const second = await data.open()
    expect(await accept(second, held)).toMatchObject({ epoch: 2 })
    await second[Symbol.asyncDispose]()
    await later.restore()
    await using third = await data.open()
    await expect(open(third, held)).rejects.toMatchObject({ code: 'LOG_REWRITTEN', field: 'held' })
    expect(await accept(third, held)).toMatchObject({ epoch: 3 })
    await using log = await open(third, held)
    expect(log.head()).toMatchObject({ epoch: 3 })
  })

  it.each([
    ['its tree was altered', 'tree', `update audit_nodes set hash = '${'A'.repeat(43)}'`],
    ['its checkpoint was forged', 'checkpoint', 'update audit_checkpoints set size = size - 1'],
  ])('R2 is not accepted when %s', async (_, field, sql) => {
    const data = await stores.make(kind)
    await using store = await data.open()
    const held = heldInMemory()
    await using living = await livingGate(store, keys, { held })
    await living.approved()
    await living.approved()
    await living.log.settle()
    await data.tamper(sql)
    await expect(accept(store, held)).rejects.toMatchObject({ code: 'LOG_REWRITTEN', field })
    expect((await store.keys(PROJECT)).map(({ status }) => status)).toEqual(['active', 'active'])
  })

  it.each([
    [
      'the caution was shortened',
      `update audit_epochs set body = replace(body, '"cautiousUntil":', '"cautiousUntil":1')`,
    ],
    ['it claims to have known more', `update audit_epochs set body = replace(body, '"size":', '"size":9')`],
    [
      'its leaf was changed with it',
      `update audit_epochs set body = replace(body, '"size":', '"size":9');
      update audit_leaves set body = replace(body, '"size":', '"size":9') where body like '%log.restored%'`,
    ],
  ])('R2 the epoch is what its leaf says: %s', async (_, sql) => {
    const data = await stores.make(kind)
    const held = heldInMemory()
    const backup = await lose(data, held, async ({ approved }) => void (await approved()))
    const before = heldInMemory(await held.read())
    await backup.restore()
    await using store = await data.open()
    await accept(store, held)
    await data.tamper(sql)
    await expect(open(store, before)).rejects.toMatchObject({ code: 'LOG_REWRITTEN', field: 'epoch' })
  })

  it('R2 undoes itself when the checkpoint cannot be signed', async () => {
    const data = await stores.make(kind)
    await using store = await data.open()
    const held = heldInMemory()
    await using living = await livingGate(store, keys, { held })
    const { id } = await living.approved()
    const signer = { ...keys.log, sign: () => Promise.reject(new Error('away')) }
    await expect(acceptRestore({ store, projectId: PROJECT, issuer: ISSUER, signer, held })).rejects.toThrow('away')
    expect([(await store.intent(id))?.execution.state, await store.logEpochs(PROJECT)]).toEqual(['none', []])
    expect((await store.keys(PROJECT)).map(({ status }) => status)).toEqual(['active', 'active'])
  })
})

type Living = Awaited<ReturnType<typeof livingGate>>
type Data = Awaited<ReturnType<typeof stores.make>>

/** A gate that does something, is backed up, does more, and ends; all of it is in what `held` has. */
async function lose(
  data: Data,
  held: HeldCheckpoint,
  after: (living: Living) => Promise<void>,
  before: (living: Living) => Promise<void> = async ({ approved }) => void (await approved()),
  clock: { now?: () => number } = {},
) {
  const first = await data.open(clock)
  const living = await livingGate(first, keys, { held, policies: [READS] })
  await before(living)
  await living.log.settle()
  await living[Symbol.asyncDispose]()
  await first[Symbol.asyncDispose]()
  const backup = await data.backup()
  const second = await data.open(clock)
  const later = await livingGate(second, keys, { held })
  await after(later)
  await later.log.settle()
  await later[Symbol.asyncDispose]()
  await second[Symbol.asyncDispose]()
  return backup
}

function accept(store: Store, held: HeldCheckpoint) {
  return acceptRestore({ store, projectId: PROJECT, issuer: ISSUER, signer: keys.log, held })
}

function open(store: Store, held: HeldCheckpoint) {
  return sequencer({ store, projectId: PROJECT, issuer: ISSUER, signer: keys.log, intervalMs: 0, held })
}

/** As an operator does, one by one. */
async function enable(store: Store): Promise<void> {
  const stopped = await store.keys(PROJECT)
  await store.transaction(async (tx) => {
    for (const key of stopped) await tx.putKey({ ...key, status: 'active' })
  })
}

/** The answer or the refusal; a connection that the database cut off is asked once more. */
async function settled<Answer>(ask: () => Promise<Answer>): Promise<Answer | unknown> {
  for (let turn = 0; ; turn++) {
    try {
      return await ask()
    } catch (error) {
      if ((error as { code?: string }).code !== 'DB_ERROR' || turn >= 20) return error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
