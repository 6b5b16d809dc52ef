/**
 * A client that outlives the gate: it repeats every request until there is an answer, and remembers what it was told. What it was
 * told must be true ever after.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type IntentId, type JsonObject, newId, randomToken, type State } from '@silentauth/core'
import { z } from 'zod'
import type { Answer, Cluster } from './cluster.ts'

/** What clients of one gate were told. */
export interface Told {
  answers: number
  /** Sent again, because nobody answered. */
  repetitions: number
  /** Answers that nobody who only repeats may get. */
  readonly refusals: string[]
  readonly acknowledged: Acknowledged[]
  /** How many attempts were let run, per intent. */
  readonly runs: Map<IntentId, number>
  /** How many uses of an approval a backend was granted, per intent. */
  readonly uses: Map<IntentId, number>
}

interface Acknowledged {
  readonly id: IntentId
  readonly what: string
  held(state: State): boolean
}

export interface PersistentClient {
  readonly gate: Cluster
  readonly told: Told
  /** From 0; the person of this index votes for it. */
  readonly index: number
  readonly random: () => number
}

/** Of a policy whose actions start with this, two people must approve. */
export const PAIR = 'pair_'

export function nothingTold(): Told {
  return { answers: 0, repetitions: 0, refusals: [], acknowledged: [], runs: new Map(), uses: new Map() }
}

/** From the declaration to the report, as far as its luck leads. */
export async function liveThrough(client: PersistentClient): Promise<void> {
  const { gate, random } = client
  await delay(random() * THINKING_MS)
  const pair = random() < 0.3
  const token = random() < 0.3
  const intent = await declare(client, {
    action: pair ? `${PAIR}refund` : 'issue_refund',
    source_type: 'ai_agent',
    // Never the same twice: a denial is remembered for its action.
    parameters: { order: newId('ord') },
    delivery: token ? 'token' : 'claim',
    // Such a permit waits for the log (P6).
    risk_tier: !token && random() < 0.3 ? 'high' : 'medium',
    idempotency_key: randomToken(),
  })
  if (random() < 0.15) return decide(client, intent, client.index, 'deny', 'denied')
  if (pair) await decide(client, intent, client.index + 1, 'approve', undefined)
  await decide(client, intent, client.index, 'approve', 'approved')
  if (token) return useToken(client, intent)
  // Two processes that believe that the work is theirs.
  await Promise.all([0, 1].map((runner) => attempt(client, intent, runner % gate.nodes.length)))
}

type Declared = z.infer<typeof declaredForm>

const declaredForm = z.object({
  id: z.custom<IntentId>((value) => typeof value === 'string' && value.startsWith('int_')),
  action: z.string(),
  intent_hash: z.string(),
  audience: z.string(),
  params_digest: z.string(),
})

async function declare(client: PersistentClient, body: JsonObject): Promise<Declared> {
  const { data } = await persist(client, 'declare', ['POST', '/api/intents', client.gate.agent, body])
  const intent = declaredForm.parse(data)
  acknowledge(client, intent.id, 'declared', () => true)
  return intent
}

async function decide(
  client: PersistentClient,
  intent: Declared,
  person: number,
  verdict: 'approve' | 'deny',
  status: 'approved' | 'denied' | undefined,
): Promise<void> {
  const headers = client.gate.people[person % client.gate.people.length] ?? {}
  const body = { intent_hash: intent.intent_hash }
  const request = ['POST', `/api/inbox/${intent.id}/${verdict}`, headers, body] as const
  // The first time may have counted, and its answer been lost.
  await persist(client, verdict, request, ['ALREADY_VOTED', 'ALREADY_RESOLVED'])
  acknowledge(client, intent.id, `${verdict}, by person ${person}`, (state) =>
    status === undefined ? state.votes.length > 0 : state.status === status,
  )
}

/** An attempt that hears nothing may be given up for a new one, as when its process died too. */
async function attempt(client: PersistentClient, intent: Declared, node: number): Promise<void> {
  const { agent } = client.gate
  const patience = Math.floor(client.random() * 3)
  for (let tries = 0; tries < 3; tries++) {
    const body = { execution_id: 'run', attempt_id: randomToken() }
    const request = ['POST', `/api/intents/${intent.id}/claim`, agent, body] as const
    const answer = await persist(client, 'claim', request, [], { node, patience: tries < 2 ? patience : undefined })
    if (answer === undefined) continue
    if (answer.data.type !== 'granted') return
    add(client.told.runs, intent.id)
    acknowledge(client, intent.id, 'granted', ({ execution }) => execution.holder?.attemptId === body.attempt_id)
    await redeem(client, intent, String(answer.data.permit_token))
    const report = ['POST', `/api/intents/${intent.id}/report`, agent, { ...body, status: 'succeeded' }] as const
    await persist(client, 'report', report, ['ALREADY_RESOLVED'])
    acknowledge(client, intent.id, 'succeeded', ({ execution }) => execution.state === 'succeeded')
    return
  }
}

async function useToken(client: PersistentClient, intent: Declared): Promise<void> {
  const { data } = await persist(client, 'read', ['GET', `/api/intents/${intent.id}`, client.gate.agent])
  if (typeof data.permit_token !== 'string') {
    client.told.refusals.push('read: approved, and no permit')
    return
  }
  await redeem(client, intent, data.permit_token)
}

/** At two backends at once: one of them may act. */
async function redeem(client: PersistentClient, intent: Declared, token: string): Promise<void> {
  const uses = [0, 1].map(async (node) => {
    const redemptionId = randomToken()
    const body = {
      token,
      redemption_id: redemptionId,
      action: intent.action,
      params_digest: intent.params_digest,
      audience: intent.audience,
      idempotent: false,
    }
    const request = ['POST', '/api/permits/redeem', client.gate.verifier, body] as const
    const { code } = await persist(client, 'redeem', request, [], { node, others: ['ALREADY_REDEEMED'] })
    if (code !== 'OK') return
    add(client.told.uses, intent.id)
    acknowledge(client, intent.id, 'redeemed', ({ redemptions }) =>
      redemptions.some(({ id, replayed }) => id === redemptionId && !replayed),
    )
  })
  await Promise.all(uses)
}

type Request = readonly [method: string, at: string, headers: Readonly<Record<string, string>>, body?: JsonObject]

interface Persistence {
  readonly node?: number
  /** Codes that are an answer like any other. @default none */
  readonly others?: readonly string[]
  /** Unanswered requests after which it is given up. @default none: until `PATIENCE_MS` are over */
  readonly patience?: number | undefined
}

/** Between intents: clients leave the machine to nodes that start. */
const THINKING_MS = 200
/** Longer than any restart. */
const PATIENCE_MS = 120_000
const PAUSE_MS = 60
/** Said by a gate that is there: nothing was changed, or nobody knows whether it was. */
const AGAIN: ReadonlySet<string> = new Set(['DB_ERROR', 'AUDIT_UNAVAILABLE', 'NOT_SEQUENCED', 'TOO_MANY_WAITERS'])

/**
 * @param repeated codes that are fine once an earlier request was not answered
 * @returns undefined when it was given up
 */
async function persist(
  client: PersistentClient,
  what: string,
  request: Request,
  repeated?: readonly string[],
  persistence?: Persistence & { readonly patience?: undefined },
): Promise<Answer>
async function persist(
  client: PersistentClient,
  what: string,
  request: Request,
  repeated: readonly string[],
  persistence: Persistence,
): Promise<Answer | undefined>
async function persist(
  { gate, told, random }: PersistentClient,
  what: string,
  [method, at, headers, body]: Request,
  repeated: readonly string[] = [],
  { node = Math.floor(random() * gate.nodes.length), others = [], patience = Infinity }: Persistence = {},
): Promise<Answer | undefined> {
  const giveUpAt = performance.now() + PATIENCE_MS
  for (let unanswered = 0; unanswered <= patience; unanswered++) {
    const answer = await gate.ask(node + unanswered, method, at, headers, body).catch((error: unknown) => {
      if (performance.now() > giveUpAt) throw error
      return undefined
    })
    if (answer !== undefined && !AGAIN.has(answer.code)) {
      told.answers++
      const expected = ['OK', ...others, ...(unanswered > 0 ? repeated : [])]
      if (!expected.includes(answer.code))
        told.refusals.push(`${what}: ${answer.code} after ${unanswered} without answer`)
      return answer
    }
    if (performance.now() > giveUpAt) throw new Error(`${what} was answered only by ${answer?.code}`)
    told.repetitions++
    await delay(PAUSE_MS + random() * PAUSE_MS)
  }
  return undefined
}

function acknowledge({ told }: PersistentClient, id: IntentId, what: string, held: Acknowledged['held']): void {
  told.acknowledged.push({ id, what, held })
}

function add(counts: Map<IntentId, number>, id: IntentId): void {
  counts.set(id, (counts.get(id) ?? 0) + 1)
}
