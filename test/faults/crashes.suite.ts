/**
 * Crashes: eight clients work while nodes are killed at random moments, and PostgreSQL is restarted in between as if its machine had
 * lost power. Afterwards everything that was answered is there, whole, and nothing ran twice.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startPostgres } from '../support/postgres.ts'
import { type Cluster, cluster } from './cluster.ts'
import type { DatabaseUrl } from './database.ts'
import { type Flaws, flawsOf } from './history.ts'
import { liveThrough, nothingTold, PAIR, type Told } from './persistent-client.ts'
import { type Counter, type Counters, randomOf, type Size, type Suite } from './suite.ts'

const CLIENTS = 8
/** 50 at the size of CI, 500 for `FAULTS=full`. */
const KILLS = { sqlite: 20, postgres: 30, fullTimes: 10 }
/** From one kill to the next, besides the time in which a node starts. */
const PAUSE_MS = { least: 20, most: 400 }
/** Both nodes at once. */
const BOTH = 0.2
/** Every so many kills the database is restarted too. */
const RESTART_EVERY = 4
/** The seeded defect is given up for lost after this many. */
const MAX_SPLIT_KILLS = 100
const SPLIT_ROUND = 5
const POLICIES = [
  {
    name: 'two',
    match: { action_pattern: `${PAIR}*` },
    decision: 'require_approval',
    approval: { approvers_required: 2 },
  },
  { name: 'one', match: {}, decision: 'require_approval' },
]

export const suite: Suite = {
  name: 'crashes',
  async run(size) {
    const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-crashes-'))
    const fileOf = (name: string): DatabaseUrl => `sqlite:${path.join(folder, name)}`
    try {
      const onSqlite = [
        ...(await whole({ ...size, database: fileOf('gate.db'), label: 'SQLite' })),
        ...(await split({ ...size, database: fileOf('split.db'), label: 'SQLite' })),
      ]
      await using postgres = await startPostgres({ own: true, fsync: true })
      const restart = () => postgres.restartImmediately()
      const fresh = async () => (await postgres.createDatabase()).url as DatabaseUrl
      return [
        ...onSqlite,
        ...(await whole({ ...size, database: await fresh(), label: 'PostgreSQL', restart })),
        ...(await split({ ...size, database: await fresh(), label: 'PostgreSQL', restart })),
      ]
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}

interface Plan extends Size {
  readonly database: DatabaseUrl
  readonly label: string
  /** Restarts the database; undefined where it lives in the nodes. */
  readonly restart?: () => Promise<void>
}

async function whole(plan: Plan): Promise<Counters> {
  const random = randomOf(plan.seed)
  const kills = (plan.restart ? KILLS.postgres : KILLS.sqlite) * (plan.full ? KILLS.fullTimes : 1)
  await using gate = await cluster({ database: plan.database, people: CLIENTS, policies: POLICIES })
  const told = nothingTold()
  const { moments, restarts } = await survived(gate, plan, told, random, kills)
  console.log(`  ${plan.label}: killed at ${moments.join(' ')}`)

  const history = await gate.history()
  const states = new Map(history.states.map((state) => [state.declaration.id, state]))
  const lost = told.acknowledged.filter(({ id, held }) => {
    const state = states.get(id)
    return state === undefined || !held(state)
  })
  for (const { id, what } of lost) console.error(`  lost: ${what} ${id}`)
  for (const refusal of new Set(told.refusals)) console.error(`  refused: ${refusal}`)
  const flaws = flawsOf(history)
  const twice = [...told.runs.values(), ...told.uses.values()].filter((times) => times > 1).length
  const counters: Counters = [
    { name: 'nodes killed', value: moments.length, must: { beAtLeast: kills } },
    ...(plan.restart ? [shown('restarts of the database', restarts)] : []),
    shown('intents', states.size),
    { name: 'answers', value: told.answers, must: { beAtLeast: kills } },
    // Else nobody was disturbed.
    { name: 'requests without an answer, sent again', value: told.repetitions, must: { beAtLeast: 1 } },
    { name: 'acknowledgements kept in mind', value: told.acknowledged.length, must: { beAtLeast: kills } },
    zero('acknowledged decisions lost', lost.length),
    zero('approved without permit metadata', flaws.permits),
    zero('without outbox row', flaws.missingOutboxRows),
    zero('without audit leaf', flaws.missingLeaves),
    zero('double executions', twice + flaws.doubleUses),
    zero('votes that contradict each other', flaws.votes),
    zero('broken tree, broken log', (await gate.brokenTrees()) + flaws.brokenLog),
    zero('repetitions that were refused', told.refusals.length),
  ]
  return counters.map((counter) => ({ ...counter, name: `${plan.label}: ${counter.name}` }))
}

/** The seeded defect must show, or the zeros above say nothing. */
async function split(plan: Plan): Promise<Counters> {
  const random = randomOf(plan.seed)
  await using gate = await cluster({ database: plan.database, people: CLIENTS, policies: POLICIES, split: true })
  let seen = 0
  let kills = 0
  // Looked at only while nobody works: what is under way looks half done.
  while (seen === 0 && kills < MAX_SPLIT_KILLS) {
    const { moments } = await survived(gate, plan, nothingTold(), random, SPLIT_ROUND)
    kills += moments.length
    seen = losses(flawsOf(await gate.history()))
  }
  return [
    { name: `${plan.label}, one transaction split in two: losses seen`, value: seen, must: { beAtLeast: 1 } },
    { name: '… after so many kills', value: kills, must: 'told' },
  ]
}

function losses({ missingLeaves, missingOutboxRows }: Flaws): number {
  return missingLeaves + missingOutboxRows
}

/** @returns when each kill was, in ms from the start, and of which node */
async function survived(
  gate: Cluster,
  { restart, seed }: Plan,
  told: Told,
  random: () => number,
  kills: number,
): Promise<{ moments: string[]; restarts: number }> {
  let stopped = false
  const clients = Array.from({ length: CLIENTS }, async (_, index) => {
    const client = { gate, told, index, random: randomOf(seed + index + 1) }
    while (!stopped) await liveThrough(client)
  })
  // Who gives up ends the whole at the end, not the process at once.
  const done = Promise.allSettled(clients)
  const started = performance.now()
  const moments: string[] = []
  let restarts = 0
  try {
    for (let step = 1; moments.length < kills; step++) {
      await delay(PAUSE_MS.least + random() * (PAUSE_MS.most - PAUSE_MS.least))
      const first = Math.floor(random() * gate.nodes.length)
      const chosen = random() < BOTH ? gate.nodes.map((_, index) => index) : [first]
      for (const index of chosen) moments.push(`${Math.round(performance.now() - started)}:${index}`)
      const victims = chosen.flatMap((index) => gate.nodes[index] ?? [])
      const downs = victims.map((node) => node.kill())
      if (restart && step % RESTART_EVERY === 0) {
        downs.push(restart())
        restarts++
      }
      await Promise.all(downs)
      await Promise.all(victims.map((node) => node.restart()))
    }
  } finally {
    stopped = true
    await done
  }
  await Promise.all(clients)
  return { moments, restarts }
}

function shown(name: string, value: number): Counter {
  return { name, value, must: 'told' }
}

function zero(name: string, value: number): Counter {
  return { name, value, must: { be: 0 } }
}
