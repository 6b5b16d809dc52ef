import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import {
  type Claim,
  generateSigningKey,
  type Intent,
  keyRing,
  localGate,
  logName,
  noteSigner,
  type Policy,
  type PrivateJwk,
  privateKeySigner,
  readRevocationList,
  type Store,
  verifyPermit,
} from '@silentauth/core'
import { postgresStore } from '@silentauth/store/postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js'
import {
  ANN,
  aDraft,
  anAttempt,
  ISSUER,
  type LivingGate,
  type LivingKeys,
  livingGate,
  PROJECT,
  passing,
} from './living-gate.js'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** Nothing here takes as long, and no skew is as short. */
const CLOSE = 5 * MINUTE

const READS = passing('read_*')

let postgres: TestPostgres
let logKey: PrivateJwk
let keys: LivingKeys
beforeAll(async () => {
  postgres = await startPostgres()
  logKey = await generateSigningKey('EdDSA')
  keys = {
    permit: await generateSigningKey('EdDSA'),
    log: await noteSigner(logName(ISSUER, PROJECT), await privateKeySigner(logKey)),
    resultKey: crypto.getRandomValues(new Uint8Array(32)),
  }
})
afterAll(() => postgres?.stop())

describe.each([
  ['ahead', HOUR],
  ['behind', -HOUR],
])('two gates on one PostgreSQL, the clock of one an hour %s', (_, skewMs) => {
  let url: string
  let store: Store
  let right: LivingGate
  let skewed: Skewed
  beforeAll(async () => {
    url = (await postgres.createDatabase()).url
    store = await postgresStore({ url })
    right = await livingGate(store, keys, { policies: [READS] })
    skewed = await aSkewedGate({ url, skewMs, permitKey: keys.permit, logKey })
  })
  afterAll(async () => {
    await skewed?.end()
    await right?.[Symbol.asyncDispose]()
    await store?.[Symbol.asyncDispose]()
  })

  const declared = (draft: Parameters<typeof aDraft>[0] = {}) => skewed.does<Intent>('declare', aDraft(draft))
  const approved = async (draft: Parameters<typeof aDraft>[0] = {}) => {
    const { id } = await declared(draft)
    await skewed.does('vote', id)
    return right.agent.read(id)
  }
  /** Half an hour ago: over for whoever is right, and for who is ahead; not for who is behind. */
  const halfAnHourAgo = async (work: (gate: LivingGate) => Promise<void>): Promise<void> => {
    await using past = await postgresStore({ url, now: () => Date.now() - 30 * MINUTE })
    await using gate = await livingGate(past, keys)
    await work(gate)
  }

  it('is off indeed, and is named at a start: such a node does not open', async () => {
    const said = await skewed.does<number>('now')
    expect(Math.abs(said - skewMs - Date.now())).toBeLessThan(CLOSE)
    await expect(
      aSkewedGate({ url, skewMs, permitKey: keys.permit, logKey }, { maxClockSkewMs: undefined }),
    ).rejects.toThrow(/clocks of this machine and of the database are \d+ ms apart/)
  })

  it('I1, I2 has every instant of an intent from the database', async () => {
    const intent = await approved()
    const now = await store.now()
    const state = await store.intent(intent.id)
    const instants = [
      intent.createdAt,
      intent.resolvedAt,
      (intent.expiresAt ?? 0) - HOUR,
      (state?.useUntil ?? 0) - HOUR,
    ]
    for (const at of instants) expect(Math.abs((at ?? 0) - now)).toBeLessThan(CLOSE)
    const leaves = await store.leavesOf(PROJECT, intent.id)
    for (const { body } of leaves) expect(Math.abs(Date.parse(JSON.parse(body).at) - now)).toBeLessThan(CLOSE)
  })

  it('I7 expires nothing early, and nothing late', async () => {
    const { id } = await right.agent.declare(aDraft({ expiresInSeconds: 600 }))
    expect(await skewed.does('sweep')).toBe(0)
    expect(await skewed.does<Intent>('read', id)).toMatchObject({ status: 'pending' })
    expect(await skewed.does('vote', id)).toBe('approved')

    let late: Intent | undefined
    await halfAnHourAgo(async ({ agent }) => {
      late = await agent.declare(aDraft({ expiresInSeconds: 600 }))
    })
    expect(await skewed.does<Intent>('read', late?.id)).toMatchObject({ status: 'expired' })
    await expect(skewed.does('vote', late?.id)).rejects.toMatchObject({ code: 'ALREADY_RESOLVED' })
  })

  it('wakes who waits when the intent expires, on either gate', async () => {
    const one = await declared({ expiresInSeconds: 1 })
    const waiting = Promise.all([skewed.does<Intent>('wait', one.id), right.agent.wait(one.id, { timeoutMs: 20_000 })])
    expect((await waiting).map(({ status }) => status)).toEqual(['expired', 'expired'])
  })

  it('waits for a decision, and hears it from the other gate', async () => {
    const { id } = await right.agent.declare(aDraft())
    const waiting = skewed.does<Intent>('wait', id)
    const { intentHash } = await right.gate.desk.read(ANN, id)
    await right.gate.desk.vote(ANN, id, { verdict: 'approve', intentHash })
    expect((await waiting).status).toBe('approved')
  })

  it.each(['medium', 'high'] as const)(
    'E1, P1 mints a %s permit that is good now, at both gates and offline',
    async (riskTier) => {
      const intent = await approved({ riskTier })
      const claim = await skewed.does<Claim>('claim', intent.id, anAttempt())
      const token = claim.type === 'granted' ? claim.permit : ''
      const { publicJwk } = await privateKeySigner(keys.permit)
      const { action, params, audience } = intent
      const ring = keyRing([publicJwk])
      const { claims } = await verifyPermit(token, {
        keys: ring,
        issuer: ISSUER,
        projectId: PROJECT,
        action,
        params,
        audience,
      })
      const now = (await store.now()) / 1000
      expect(Math.abs(claims.iat - now)).toBeLessThan(CLOSE / 1000)
      expect([claims.exp - claims.iat, claims.nbf]).toEqual([300, undefined])
      await right.gate.counter.verify(right.verifier, { token, action, params, audience })
      const { paramsDigest } = intent
      const redemption = { token, action, paramsDigest, audience, redemptionId: 'a'.repeat(22) }
      expect(await skewed.does('redeem', redemption)).toEqual({ replayed: false })
      await expect(
        right.gate.counter.redeem(right.verifier, { ...redemption, redemptionId: 'b'.repeat(22) }),
      ).rejects.toMatchObject({ code: 'ALREADY_REDEEMED' })
    },
  )

  it('E22 runs a tool under a permit that is good by the clock of the database', async () => {
    expect(await skewed.does('guard', { order: 'ord_1' })).toBe('ran')
  })

  it('E3, E4 ends no execution before its deadline, and every one after', async () => {
    const { id } = await approved()
    const attempt = anAttempt()
    await right.agent.claim(id, attempt)
    const deadline = (await store.intent(id))?.execution.deadline
    expect(await skewed.does('claim', id, anAttempt())).toMatchObject({ type: 'running', deadline })
    await skewed.does('sweep')
    expect((await right.agent.read(id)).execution?.state).toBe('started')
    await right.agent.report(id, attempt, { status: 'succeeded' })

    let late: Intent | undefined
    await halfAnHourAgo(async (gate) => {
      late = await gate.approved()
      await gate.agent.claim(late.id, anAttempt())
    })
    expect(await skewed.does('claim', late?.id, anAttempt())).toEqual({ type: 'unknown' })
  })

  it('E16, P1 closes the window at use_until, and not before', async () => {
    const { id } = await approved()
    expect(await skewed.does('claim', id, anAttempt())).toMatchObject({ type: 'granted' })

    let late: Intent | undefined
    await halfAnHourAgo(async (gate) => {
      const short = { ...READS, intent: { executionWindowSeconds: 600 } } as Policy
      const before = (await store.policies(PROJECT)).policies
      await store.transaction((tx) => tx.putPolicies(PROJECT, [short]))
      late = await gate.agent.declare(aDraft({ action: 'read_orders' }))
      await store.transaction((tx) => tx.putPolicies(PROJECT, before))
    })
    expect(late?.status).toBe('approved')
    expect(await skewed.does('claim', late?.id, anAttempt())).toEqual({ type: 'closed', reason: 'window' })
  })

  it('takes no delivery whose lease is another worker’s, and pauses as long as it should', async () => {
    const heard = { name: 'wall', notify: async () => {} }
    const signer = await privateKeySigner(keys.permit)
    const told = { store, signer, projectId: PROJECT, issuer: ISSUER, publicUrl: 'http://127.0.0.1:4747' }
    // Its deliveries are not begun: only what it declares is to be told.
    await using gate = localGate({ ...told, notifiers: [heard], sweepMs: 0, pollMs: 0, onDeliveryFailure: undefined })
    await gate[Symbol.asyncDispose]()
    const { id } = await gate.gateFor({ type: 'key', id: 'key_agent', projectId: PROJECT }).declare(aDraft())
    const channel = { projectId: PROJECT, channel: 'wall' }
    const leased = await store.transaction(async (tx) =>
      tx.claimDeliveries({ ...channel, now: await tx.now(), leaseMs: 30_000, limit: 10 }),
    )
    expect(leased.map(({ event }) => event.intentId)).toEqual([id])
    expect(await skewed.does('deliver', false)).toEqual([])
    for (const delivery of leased) {
      const dueAt = (await store.now()) - 1
      await store.transaction((tx) => tx.endDelivery(delivery, { type: 'again', dueAt }))
    }
    expect(await skewed.does('deliver', true)).toEqual([id])
    const pause = ((await store.nextDelivery(channel)) ?? 0) - (await store.now())
    // A minute, before the third attempt.
    expect(pause).toBeGreaterThan(0)
    expect(pause).toBeLessThanOrEqual(MINUTE)
  })

  it('signs a revocation list that verifiers believe', async () => {
    const { publicJwk } = await privateKeySigner(keys.permit)
    const list = await skewed.does<string>('revocations')
    const read = await readRevocationList(list, { keys: keyRing([publicJwk]), issuer: ISSUER, projectId: PROJECT })
    expect(Math.abs(read.issuedAt - Date.now())).toBeLessThan(CLOSE)
  })
})

interface Skewed {
  does<Result = unknown>(op: string, ...args: readonly unknown[]): Promise<Result>
  end(): Promise<void>
}

/** A process of its own: a clock belongs to one. */
async function aSkewedGate(
  options: {
    url: string
    skewMs: number
    permitKey: PrivateJwk
    logKey: PrivateJwk
  },
  started: { maxClockSkewMs?: number | undefined } = { maxClockSkewMs: 2 * HOUR },
): Promise<Skewed> {
  const here = (name: string) => path.join(import.meta.dirname, name)
  const execArgv = process.env.SA_DIST ? [] : ['--conditions=@silentauth/source', '--import', here('sources.mjs')]
  const child = fork(here('skewed-gate.mjs'), [JSON.stringify({ ...options, ...started })], { execArgv })
  const answers = new Map<number, (answer: Answer) => void>()
  const ready = Promise.withResolvers<void>()
  ready.promise.catch(() => undefined)
  child.on('message', (message: Answer) => {
    if (message.ready) return ready.resolve()
    if (message.failed !== undefined) return ready.reject(new Error(message.failed))
    answers.get(message.call)?.(message)
    answers.delete(message.call)
  })
  child.once('exit', () => ready.reject(new Error('it ended')))
  try {
    await ready.promise
  } catch (error) {
    await ended(child)
    throw error
  }
  let calls = 0
  return {
    does(op, ...args) {
      const call = ++calls
      const { promise, resolve, reject } = Promise.withResolvers<never>()
      answers.set(call, ({ result, error }) =>
        error ? reject(Object.assign(new Error(error.message), error)) : resolve(result as never),
      )
      child.send({ call, op, args })
      return promise
    },
    end: () => ended(child),
  }
}

interface Answer {
  readonly ready?: boolean
  readonly failed?: string
  readonly call: number
  readonly result?: unknown
  readonly error?: { readonly code?: string; readonly message: string }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
