/**
 * Partition: a node that holds the row of an intent is cut off from the network in the middle of a vote. The database gives the row
 * free after its time, the vote of somebody else gets through, and what the lost node had begun never happened.
 *
 * @module
 */
import { appendFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { cluster, declareOn } from './cluster.ts'
import type { DatabaseUrl } from './database.ts'
import { flawsOf } from './history.ts'
import { type SeverableNetwork, severableNetwork } from './severable-network.ts'
import type { Counter, Counters, Suite } from './suite.ts'

/** Longer than the database lets a transaction be idle: a node that hangs does not come back in time by itself. */
const STALL_MS = 12_000
/** As in production: the row of a lost node is free before those who wait for it give up. */
const TIMEOUTS = { lockMs: 10_000, idleInTransactionMs: 5000 }
const PATIENCE_MS = 60_000

export const suite: Suite = {
  name: 'partition',
  async run() {
    let network: SeverableNetwork
    try {
      network = await severableNetwork()
    } catch (error) {
      console.error(`  NOT RUN: this machine lets us make no network namespace (root, and ip of iproute2): ${error}`)
      return [{ name: 'NOT RUN, for want of a network namespace', value: 1, must: process.env.CI ? { be: 0 } : 'told' }]
    }
    await using severable = network
    return await severed(severable)
  },
}

type Step = 'locked' | 'cut off' | 'waiting' | 'released' | 'voted'
const IN_ORDER: readonly Step[] = ['locked', 'cut off', 'waiting', 'released', 'voted']

async function severed(network: SeverableNetwork): Promise<Counters> {
  const { inside, outside, command } = network
  await using postgres = await startPostgres({
    own: true,
    settings: { listen_addresses: `127.0.0.1,${outside}` },
  })
  await admit(postgres, inside)
  const { url } = await postgres.createDatabase()
  const apart = {
    database: url.replace('127.0.0.1', outside) as DatabaseUrl,
    command,
    host: inside,
    stallMs: STALL_MS,
  }
  const [whole, lost] = [0, 1]
  await using gate = await cluster({
    database: url as DatabaseUrl,
    nodes: 1,
    apart,
    timeouts: TIMEOUTS,
    people: 2,
    policies: [{ name: 'one', match: {}, decision: 'require_approval' }],
  })
  const { id, intentHash } = await declareOn(gate, whole)
  const vote = (node: number, person: number) =>
    gate.ask(node, 'POST', `/api/inbox/${id}/approve`, gate.people[person] ?? {}, { intent_hash: intentHash })
  const sessions = async (where: string): Promise<number> => {
    const sql = `select count(*)::int as count from pg_stat_activity where datname is not null and ${where}`
    return (await postgres.query<{ count: number }>(sql))[0]?.count ?? 0
  }
  const steps: Step[] = []
  const holding = `state like 'idle in transaction%' and client_addr = '${inside}'`

  const never = vote(lost, 0).then(
    ({ code }) => code,
    () => 'no answer',
  )
  await until(async () => (await sessions(holding)) > 0)
  steps.push('locked')
  await network.sever()
  steps.push('cut off')
  const cutAt = performance.now()

  const waitingAndHeld = async () => (await sessions("wait_event_type = 'Lock'")) > 0 && (await sessions(holding)) > 0
  let releasedMs: number | undefined
  const release = (): void => {
    releasedMs ??= performance.now() - cutAt
    if (!steps.includes('released')) steps.push('released')
  }
  const voting = vote(whole, 1).then(async ({ code }) => {
    const afterMs = performance.now() - cutAt
    // Answered while the lost node still held the row, it would come before its release.
    if ((await sessions(holding)) === 0) release()
    steps.push('voted')
    return { code, afterMs }
  })
  await until(async () => steps.includes('voted') || (await waitingAndHeld()))
  steps.push('waiting')
  await until(async () => (await sessions(holding)) === 0)
  release()
  const answered = await voting
  await network.mend()

  const ofLost = await never
  const votes = (await gate.store.intent(id))?.votes.length ?? 0
  const again = await gate.ask(lost, 'GET', `/api/intents/${id}`, gate.agent)
  const flaws = Object.values(flawsOf(await gate.history())).reduce((sum, value) => sum + value, 0)
  const disordered = steps.filter((step, index) => step !== IN_ORDER[index]).length
  console.log(`  ${steps.join(', ')}; the lost node heard ${ofLost}`)
  return [
    must("another approver's vote got through", Number(answered.code === 'OK'), 1),
    must('steps in another order', disordered + IN_ORDER.length - steps.length, 0),
    { name: 'ms from the cut until the row was free', value: Math.round(releasedMs ?? -1), must: 'told' },
    { name: 'ms from the cut until that vote was answered', value: Math.round(answered.afterMs), must: 'told' },
    must('answers OK to the vote of the lost node', Number(ofLost === 'OK'), 0),
    must('votes that count', votes, 1),
    must('approved, as the node says that is back', Number(again.data.status === 'approved'), 1),
    must('contradictions', flaws, 0),
    must('broken trees', await gate.brokenTrees(), 0),
  ]
}

/** Connections from there need no password, as those of this machine. */
async function admit(postgres: TestPostgres, address: string): Promise<void> {
  const [shown] = await postgres.query<{ hba_file: string }>('show hba_file')
  await appendFile(shown?.hba_file ?? '', `\nhost all all ${address}/32 trust\n`)
  await postgres.query('select pg_reload_conf()')
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error('what was waited for did not come')
    await delay(20)
  }
}

function must(name: string, value: number, be: number): Counter {
  return { name, value, must: { be } }
}
