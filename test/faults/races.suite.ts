/**
 * Races: hundreds of requests at the same moment to two nodes of one gate on one database. Whatever they ask for, one of them gets it.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { randomToken } from '@silentauth/core'
import { startPostgres } from '../support/postgres.ts'
import { type Answer, type Cluster, cluster, declareOn } from './cluster.ts'
import type { DatabaseUrl } from './database.ts'
import { flawsOf } from './history.ts'
import type { Counter, Counters, Suite } from './suite.ts'

const POLICIES = [
  {
    name: 'three',
    match: { action_pattern: 'quorum_*' },
    decision: 'require_approval',
    approval: { approvers_required: 3 },
  },
  { name: 'one', match: { action_pattern: 'vote_*' }, decision: 'require_approval' },
  {
    name: 'by itself',
    match: { action_pattern: '*' },
    decision: 'auto_approve',
    any_params: true,
    allow: ['reenters', 'idempotent'],
  },
]
const RESOLVES = 1000
const PAIRS = 200
const QUORUMS = 100
const VOTERS = 10
const CLAIMS = 500
const CONTINUATIONS = 500
const REDEMPTIONS = 500
/** How often everything is done for `FAULTS=full`. */
const FULL_ROUNDS = 20

export const suite: Suite = {
  name: 'races',
  async run({ full }) {
    const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-races-'))
    try {
      const onSqlite = await repeated(full, `sqlite:${path.join(folder, 'gate.db')}`, 'SQLite')
      await using postgres = await startPostgres()
      const { url } = await postgres.createDatabase()
      return [...onSqlite, ...(await repeated(full, url as DatabaseUrl, 'PostgreSQL'))]
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}

/** Each time with other ids and other luck; what must be 0 is added up. */
async function repeated(full: boolean, database: DatabaseUrl, label: string): Promise<Counters> {
  const rounds = full ? FULL_ROUNDS : 1
  let sums: Counters = []
  for (let round = 0; round < rounds; round++) {
    const counters = await over(database, label)
    sums = counters.map((counter, index) => added(counter, sums[index]))
  }
  return sums
}

function added(counter: Counter, sum: Counter = { ...counter, value: 0, must: { be: 0 } }): Counter {
  if (counter.must === 'told' || sum.must === 'told' || 'beAtLeast' in counter.must || 'beAtLeast' in sum.must) {
    return counter
  }
  return must(counter.name, counter.value + sum.value, counter.must.be + sum.must.be)
}

async function over(database: DatabaseUrl, label: string): Promise<Counters> {
  await using gate = await cluster({ database, people: 20, policies: POLICIES })
  const counters = [
    ...(await resolves(gate)),
    ...(await pairs(gate)),
    ...(await quorums(gate)),
    ...(await claims(gate)),
    ...(await continuations(gate)),
    ...(await redemptions(gate)),
    ...(await redemptionsWhileContinuing(gate)),
    ...(await contradictions(gate)),
  ]
  return counters.map((counter) => ({ ...counter, name: `${label}: ${counter.name}` }))
}

async function resolves(gate: Cluster): Promise<Counters> {
  const { id, intentHash } = await declareOn(gate, 0, { action: 'vote_once' })
  const answers = await atOnce(RESOLVES, (index) => vote(gate, index, id, intentHash, 'approve'))
  return [
    must(`${RESOLVES} resolves of one intent: won`, counted(answers, 'OK'), 1),
    must('… answered otherwise than ALREADY_RESOLVED', others(answers, ['OK', 'ALREADY_RESOLVED', 'ALREADY_VOTED']), 0),
  ]
}

async function pairs(gate: Cluster): Promise<Counters> {
  let both = 0
  let none = 0
  let odd = 0
  const intents = await atOnce(PAIRS, (index) => declareOn(gate, index, { action: 'vote_pair' }))
  await atOnce(PAIRS, async (index) => {
    const { id, intentHash } = intents[index] as (typeof intents)[number]
    const answers = await Promise.all([
      vote(gate, index, id, intentHash, 'approve'),
      vote(gate, index + 1, id, intentHash, 'deny'),
    ])
    const won = counted(answers, 'OK')
    if (won > 1) both++
    if (won === 0) none++
    odd += others(answers, ['OK', 'ALREADY_RESOLVED'])
  })
  return [
    must(`${PAIRS} approve against deny: both won`, both, 0),
    must('… nobody won', none, 0),
    must('… answered otherwise than ALREADY_RESOLVED', odd, 0),
  ]
}

async function quorums(gate: Cluster): Promise<Counters> {
  const intents = await atOnce(QUORUMS, (index) => declareOn(gate, index, { action: 'quorum_of_three' }))
  const answers = await atOnce(QUORUMS * VOTERS, (index) => {
    const { id, intentHash } = intents[index % QUORUMS] as (typeof intents)[number]
    return vote(gate, Math.floor(index / QUORUMS), id, intentHash, 'approve', index)
  })
  const states = await Promise.all(intents.map(({ id }) => gate.store.intent(id)))
  return [
    must(
      `quorum of 3, ${VOTERS} voters × ${QUORUMS}: approved`,
      states.filter((state) => state?.status === 'approved').length,
      QUORUMS,
    ),
    must('… with other than 3 votes', states.filter((state) => state?.votes.length !== 3).length, 0),
    must('… votes counted', counted(answers, 'OK'), 3 * QUORUMS),
    must('… answered otherwise than ALREADY_RESOLVED', others(answers, ['OK', 'ALREADY_RESOLVED']), 0),
  ]
}

async function claims(gate: Cluster): Promise<Counters> {
  const { id } = await declareOn(gate, 0)
  const answers = await atOnce(CLAIMS, (index) => claim(gate, index, id, { execution_id: 'run' }))
  return [
    must(`${CLAIMS} claims: granted`, typed(answers, 'granted'), 1),
    must('… answered otherwise than running', CLAIMS - typed(answers, 'granted') - typed(answers, 'running'), 0),
  ]
}

async function continuations(gate: Cluster): Promise<Counters> {
  const { id } = await declareOn(gate, 0, { reenters: true })
  await suspend(gate, id, 'first')
  const answers = await atOnce(CONTINUATIONS, (index) => claim(gate, index, id, { execution_id: 'run', continues: 1 }))
  return [
    must(`${CONTINUATIONS} continuations of one suspension: granted`, typed(answers, 'granted'), 1),
    must('… answered otherwise than running', CONTINUATIONS - typed(answers, 'granted') - typed(answers, 'running'), 0),
  ]
}

async function redemptions(gate: Cluster): Promise<Counters> {
  const intent = await declareOn(gate, 0, { idempotent: true })
  const first = await tokenOf(claim(gate, 0, intent.id, { execution_id: 'run', attempt_id: 'first-attempt' }))
  await gate.ask(0, 'POST', `/api/intents/${intent.id}/report`, gate.agent, {
    execution_id: 'run',
    attempt_id: 'first-attempt',
    status: 'failed',
  })
  const second = await tokenOf(claim(gate, 1, intent.id, { execution_id: 'run', attempt_id: 'second-attempt' }))
  const answers = await atOnce(REDEMPTIONS, (index) =>
    redeem(gate, Math.floor(index / 2), intent, index % 2 === 0 ? first : second),
  )
  return [
    must(`${REDEMPTIONS} redemptions of two permits: first uses`, counted(answers, 'OK'), 1),
    must('… answered otherwise than refused', others(answers, ['OK', 'ALREADY_REDEEMED', 'PERMIT_REVOKED']), 0),
  ]
}

/** The second permit is made while the first one is being used. */
async function redemptionsWhileContinuing(gate: Cluster): Promise<Counters> {
  const half = REDEMPTIONS / 2
  const intent = await declareOn(gate, 0, { reenters: true })
  const first = await tokenOf(claim(gate, 0, intent.id, { execution_id: 'run', attempt_id: 'first' }))
  const early = atOnce(half, (index) => redeem(gate, index, intent, first))
  await report(gate, intent.id, 'first', 'suspended')
  const next = await claim(gate, 1, intent.id, { execution_id: 'run', attempt_id: 'second', continues: 1 })
  const second = typeof next.data.permit_token === 'string' ? next.data.permit_token : undefined
  const late = second === undefined ? [] : await atOnce(half, (index) => redeem(gate, index, intent, second))
  const answers = [...(await early), ...late]
  const state = await gate.store.intent(intent.id)
  return [
    must('redemptions while the permit changes: first uses', counted(answers, 'OK'), 1),
    must('… stored', state?.redemptions.length ?? 0, 1),
    must('… answered otherwise than refused', others(answers, ['OK', 'ALREADY_REDEEMED', 'PERMIT_REVOKED']), 0),
  ]
}

async function contradictions(gate: Cluster): Promise<Counters> {
  const flaws = { ...flawsOf(await gate.history()), brokenTrees: await gate.brokenTrees() }
  return Object.entries(flaws).map(([name, value]) => must(`afterwards: ${name}`, value, 0))
}

function vote(
  gate: Cluster,
  person: number,
  id: string,
  intentHash: string,
  verdict: 'approve' | 'deny',
  node = person,
): Promise<Answer> {
  const headers = gate.people[person % gate.people.length] ?? {}
  return gate.ask(node, 'POST', `/api/inbox/${id}/${verdict}`, headers, { intent_hash: intentHash })
}

function claim(
  gate: Cluster,
  node: number,
  id: string,
  attempt: { execution_id: string; attempt_id?: string; continues?: number },
): Promise<Answer> {
  return gate.ask(node, 'POST', `/api/intents/${id}/claim`, gate.agent, { attempt_id: randomToken(), ...attempt })
}

function report(gate: Cluster, id: string, attempt: string, status: string): Promise<Answer> {
  return gate.ask(0, 'POST', `/api/intents/${id}/report`, gate.agent, {
    execution_id: 'run',
    attempt_id: attempt,
    status,
  })
}

async function suspend(gate: Cluster, id: string, attempt: string): Promise<void> {
  await claim(gate, 0, id, { execution_id: 'run', attempt_id: attempt })
  const { code } = await report(gate, id, attempt, 'suspended')
  if (code !== 'OK') throw new Error(`suspending was refused: ${code}`)
}

async function tokenOf(asked: Promise<Answer>): Promise<string> {
  const { data, code } = await asked
  if (typeof data.permit_token !== 'string') throw new Error(`no permit: ${code} ${data.type}`)
  return data.permit_token
}

function redeem(
  gate: Cluster,
  node: number,
  { paramsDigest, audience }: { readonly paramsDigest: string; readonly audience: string },
  token: string,
): Promise<Answer> {
  return gate.ask(node, 'POST', '/api/permits/redeem', gate.verifier, {
    token,
    redemption_id: randomToken(),
    action: 'issue_refund',
    params_digest: paramsDigest,
    audience,
    idempotent: false,
  })
}

function atOnce<Result>(times: number, work: (index: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: times }, (_, index) => work(index)))
}

function counted(answers: readonly Answer[], code: string): number {
  return answers.filter((answer) => answer.code === code).length
}

function typed(answers: readonly Answer[], type: string): number {
  return answers.filter(({ data }) => data.type === type).length
}

function others(answers: readonly Answer[], codes: readonly string[]): number {
  const odd = answers.filter(({ code }) => !codes.includes(code))
  for (const code of new Set(odd.map((each) => each.code))) console.error(`  answered ${code}`)
  return odd.length
}

function must(name: string, value: number, be: number): Counter {
  return { name, value, must: { be } }
}
