/**
 * How long after a decision its waiter knows, with 10,000 waiting in one process. Target: p99 within 10 ms.
 *
 * @module
 */
import type { IntentId } from '@silentauth/core'
import { testGate } from '@silentauth/core/testing'

const WAITERS = 10_000
const DECISIONS = 500
const TARGET_MS = 10

await using test = await testGate({ maxPendingPerKey: WAITERS })
const ids: IntentId[] = []
for (let index = 0; index < WAITERS; index++) {
  ids.push((await test.gate.declare({ action: 'issue_refund', params: { index } })).id)
}
globalThis.gc?.()
const before = process.memoryUsage().heapUsed
const woken = new Map<IntentId, number>()
const waiting = ids.map((id) => test.gate.wait(id).then(() => woken.set(id, performance.now())))
await new Promise((resolve) => setTimeout(resolve, 200))
globalThis.gc?.()
const perWaiter = (process.memoryUsage().heapUsed - before) / WAITERS / 1024

const delays: number[] = []
for (const id of ids.slice(0, DECISIONS)) {
  const { intentHash } = await test.local.desk.read(test.approver, id)
  // Heard in the commit: what is measured begins where the decision is true.
  let decided = 0
  const stop = test.local.onChange(() => {
    decided = performance.now()
  })
  await test.local.desk.vote(test.approver, id, { verdict: 'approve', intentHash })
  stop()
  while (!woken.has(id)) await new Promise((resolve) => setImmediate(resolve))
  delays.push((woken.get(id) as number) - decided)
}
for (const id of ids.slice(DECISIONS)) await test.gate.cancel(id, 'measured')
await Promise.all(waiting)

delays.sort((one, other) => one - other)
const p50 = delays[Math.floor(delays.length * 0.5)] as number
const p99 = delays[Math.floor(delays.length * 0.99)] as number
console.log(`wake from decision to waiter, ${WAITERS} waiting in process, ${DECISIONS} decisions, ms`)
console.log(
  `  p50 ${p50.toFixed(3)}  p99 ${p99.toFixed(3)}  target p99 ≤ ${TARGET_MS}  ${p99 <= TARGET_MS ? 'reached' : 'MISSED'}`,
)
console.log(
  `  heap per waiter ${perWaiter.toFixed(2)} KiB${globalThis.gc ? '' : ' (not collected: run with --expose-gc)'}  target ≤ 20`,
)
