/**
 * POST /api/intents, durable and approved by policy, against raw `node:http`, zod and the same single commit. Target: at least
 * 0.6 of its throughput.
 *
 * @module
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Agent, request } from 'undici'

const CONNECTIONS = 32
const ROUNDS = 5
const REQUESTS = 1_500
const TARGET = 0.6

const BODY = JSON.stringify({
  action: 'issue_refund',
  source_type: 'ai_agent',
  source: 'refund-agent-v1',
  delivery: 'claim',
  parameters: { customer_id: 'cust_4821', amount: 250, currency: 'EUR', reason: 'duplicate charge' },
  context: { reasoning: 'The customer was charged twice for one order.' },
})

const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-bench-'))
const servers = (['raw', 'gate'] as const).map((kind) =>
  fork(path.join(import.meta.dirname, 'declare-server.ts'), [kind, folder]),
)
const dispatcher = new Agent({ connections: CONNECTIONS })
try {
  const [raw, gate] = await Promise.all(
    servers.map(async (child) => ((await once(child, 'message')) as [{ url: string; key: string }])[0]),
  )
  if (!raw || !gate) throw new Error('a server did not start')
  await round(raw)
  await round(gate)
  const rates = { raw: [] as number[], gate: [] as number[] }
  for (let index = 0; index < ROUNDS; index++) {
    rates.raw.push(await round(raw))
    rates.gate.push(await round(gate))
  }
  const [best, ours] = [Math.max(...rates.raw), Math.max(...rates.gate)]
  console.log(`POST /api/intents, ${CONNECTIONS} connections, best of ${ROUNDS} interleaved rounds of ${REQUESTS}`)
  console.log(`  node:http + zod + same commit  ${best.toFixed(0)} requests/s`)
  console.log(`  the gate                       ${ours.toFixed(0)} requests/s`)
  console.log(`  ratio                          ${(ours / best).toFixed(2)}   target ≥ ${TARGET}`)
} finally {
  await dispatcher.close()
  for (const child of servers) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await rm(folder, { recursive: true, force: true })
}

/** @returns requests per second */
async function round({ url, key }: { url: string; key: string }): Promise<number> {
  const started = performance.now()
  let left = REQUESTS
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const { statusCode, body } = await request(`${url}/api/intents`, {
        dispatcher,
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
        body: BODY,
      })
      const text = await body.text()
      if (statusCode !== 201) throw new Error(`${statusCode}: ${text}`)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, client))
  return (REQUESTS / (performance.now() - started)) * 1000
}
