import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openCheckpoint, parseVkey } from '@silentauth/core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CHECKPOINT_HEADER, checkpointHeader } from '../src/checkpoint-header.js'
import { type RunningServer, startServer } from '../src/start-server.js'

let folder: string
let server: RunningServer
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'silentauth-header-'))
  server = await startServer({ port: 0, dataDir: path.join(folder, 'data'), dashboardDir: false })
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

async function post(route: string, body: unknown): Promise<Response> {
  const headers = { authorization: `Bearer ${server.secretKey}`, 'content-type': 'application/json' }
  return fetch(server.url + route, { method: 'POST', headers, body: JSON.stringify(body) })
}

it('R1 answers to a claim and to a redemption carry the latest checkpoint, signed by the key of the log', async () => {
  const declared = { action: 'read_orders', parameters: { page: 1 }, source_type: 'ai_agent' }
  const { id } = (await (await post('/api/intents', { ...declared, delivery: 'claim' })).json()) as { id: string }
  await server.log.settle()
  const claim = await post(`/api/intents/${id}/claim`, { execution_id: 'e', attempt_id: 'a' })
  expect(await checkpointIn(claim)).toMatchObject({ projectId: server.projectId, epoch: 0 })

  const { data } = (await (await post('/api/intents', declared)).json()) as {
    data: { permit_token: string; params_digest: string; audience: string }
  }
  await server.log.settle()
  const redeemed = await post('/api/permits/redeem', {
    token: data.permit_token,
    redemption_id: 'redemption-0123456789',
    action: 'read_orders',
    params_digest: data.params_digest,
    audience: data.audience,
  })
  expect(redeemed.status).toBe(200)
  const checkpoint = await checkpointIn(redeemed)
  expect(checkpoint.size).toBeGreaterThan((await checkpointIn(claim)).size)
})

it('R1 refusals carry it too, to whoever is known', async () => {
  const claim = await post('/api/intents/int_unknown/claim', { execution_id: 'e', attempt_id: 'a' })
  expect([claim.status, await checkpointIn(claim)]).toMatchObject([404, { projectId: server.projectId }])
  const redeemed = await post('/api/permits/redeem', { token: 'none' })
  expect([redeemed.status, await checkpointIn(redeemed)]).toMatchObject([400, { projectId: server.projectId }])
  const unknown = await fetch(`${server.url}/api/intents/int_unknown/claim`, { method: 'POST', body: '{}' })
  expect([unknown.status, unknown.headers.get(CHECKPOINT_HEADER)]).toEqual([401, null])
})

it('is not there before there is a checkpoint', () => {
  expect([checkpointHeader(undefined), checkpointHeader({ head: () => undefined })]).toEqual([{}, {}])
})

async function checkpointIn({ headers }: Response) {
  const note = Buffer.from(headers.get(CHECKPOINT_HEADER) ?? '', 'base64url').toString()
  return openCheckpoint(note, [await parseVkey(server.log.vkey)])
}
