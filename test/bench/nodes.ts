/**
 * Throughput of POST /api/intents over one PostgreSQL with one and with two nodes. It has no target: clients, nodes and database share
 * this machine, so that the second node finds as much of it as the others leave.
 *
 * @module
 */
import { availableParallelism } from 'node:os'
import { cluster, declareOn } from '../faults/cluster.ts'
import type { DatabaseUrl } from '../faults/database.ts'
import { startPostgres } from '../support/postgres.ts'

const CLIENTS = 32
const ROUNDS = 3
const REQUESTS = 500

await using postgres = await startPostgres({ own: true, fsync: true })
const { url } = await postgres.createDatabase()
await using gate = await cluster({
  database: url as DatabaseUrl,
  nodes: 2,
  policies: [{ match: {}, decision: 'auto_approve', any_params: true }],
})

await round(1)
await round(2)
const rates = { one: [] as number[], two: [] as number[] }
for (let index = 0; index < ROUNDS; index++) {
  rates.one.push(await round(1))
  rates.two.push(await round(2))
}
const [one, two] = [Math.max(...rates.one), Math.max(...rates.two)]
console.log(
  `POST /api/intents over PostgreSQL with fsync, ${CLIENTS} clients, ${availableParallelism()} cores for all,`,
)
console.log(`best of ${ROUNDS} interleaved rounds of ${REQUESTS}`)
console.log(`  one node   ${one.toFixed(0)} requests/s`)
console.log(`  two nodes  ${two.toFixed(0)} requests/s`)
console.log(`  ratio      ${(two / one).toFixed(2)}`)

/** @returns requests per second */
async function round(nodes: number): Promise<number> {
  const started = performance.now()
  let left = REQUESTS
  const client = async (): Promise<void> => {
    while (left-- > 0) await declareOn(gate, left % nodes)
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  return (REQUESTS / (performance.now() - started)) * 1000
}
