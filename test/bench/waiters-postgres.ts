/**
 * How long after a decision on one node its waiter on another one knows, with 10,000 waiting there, over PostgreSQL. Target: p99
 * within 25 ms. Polls are off: what wakes them is the notification.
 *
 * @module
 */
import { type IntentId, localGate } from '@silentauth/core'
import { testGate } from '@silentauth/core/testing'
import { postgresStore } from '@silentauth/store/postgres'
import { startPostgres } from '../support/postgres.ts'

const WAITERS = Number(process.env.BENCH_WAITERS ?? 10_000)
const DECISIONS = Math.min(300, WAITERS)
const DECLARING_AT_ONCE = 10
const TARGET_MS = 25
const TARGET_KIB = 20

await using postgres = await startPostgres()
const { url } = await postgres.createDatabase()
await using here = await postgresStore({ url })
await using there = await postgresStore({ url })
await using test = await testGate({ store: here, maxPendingPerKey: WAITERS })
await using other = localGate({
  store: there,
  signer: test.signer,
  projectId: test.project.id,
  issuer: test.local.issuer,
  publicUrl: 'http://127.0.0.1:4747',
  sweepMs: 0,
  pollMs: 0,
})

const ids: IntentId[] = []
const declare = async (): Promise<void> => {
  while (ids.length < WAITERS) {
    const index = ids.push('int_to_come') - 1
    ids[index] = (await test.gate.declare({ action: 'issue_refund', params: { index }, expiresInSeconds: 3600 })).id
  }
}
await Promise.all(Array.from({ length: DECLARING_AT_ONCE }, declare))

globalThis.gc?.()
const before = process.memoryUsage().heapUsed
const closing = new AbortController()
const waiting = ids.map((id) =>
  test.gate.wait(id, { signal: closing.signal }).then(
    () => performance.now(),
    () => Number.NaN,
  ),
)
// Connections are given in turn: after so many reads each of the waiters has registered and read.
for (let turn = 0; turn < 4; turn++) await Promise.all(ids.map((id) => test.gate.read(id)))
globalThis.gc?.()
const perWaiter = (process.memoryUsage().heapUsed - before) / WAITERS / 1024

const delays: number[] = []
for (const [index, id] of ids.slice(0, DECISIONS).entries()) {
  const { intentHash } = await other.desk.read(test.approver, id)
  let decided = 0
  const stop = other.onChange(() => {
    decided = performance.now()
  })
  await other.desk.vote(test.approver, id, { verdict: 'approve', intentHash })
  stop()
  // Nothing turns meanwhile: the database has the machine for itself.
  delays.push(((await waiting[index]) as number) - decided)
}
closing.abort()
await Promise.all(waiting)

delays.sort((one, another) => one - another)
const p50 = delays[Math.floor(delays.length * 0.5)] as number
const p99 = delays[Math.floor(delays.length * 0.99)] as number
console.log(`wake from a decision on one node to a waiter on another, ${WAITERS} waiting, ${DECISIONS} decisions, ms`)
console.log(
  `  p50 ${p50.toFixed(3)}  p99 ${p99.toFixed(3)}  target p99 ≤ ${TARGET_MS}  ${p99 <= TARGET_MS ? 'reached' : 'MISSED'}`,
)
console.log(
  `  heap per waiter ${perWaiter.toFixed(2)} KiB${globalThis.gc ? '' : ' (not collected: run with --expose-gc)'}  target ≤ ${TARGET_KIB}`,
)
