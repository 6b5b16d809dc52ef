/**
 * The refund backend of the demo, in a process of its own: it pays nobody without a permit for exactly that payment.
 *
 * Its one setting is the gate's data folder, SILENTAUTH_DATA: of what lies there it reads who the gate is and its public keys.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { embeddedGate, permitVerifier } from '@silentauth/verify'
import { type PermitVariables, requirePermit } from '@silentauth/verify/hono'
import { Hono } from 'hono'

await using verifier = permitVerifier({
  ...(await embeddedGate()), // issuer, project, pinned keys, and the signed list of what was taken back
  singleUse: 'per-process', // one process, kept in memory: enough for a demo
})

const count = { accepted: 0, refused: 0 }
const app = new Hono<{ Variables: PermitVariables }>()

app.use('/refunds', async (c, next) => {
  await next()
  count[c.res.ok ? 'accepted' : 'refused']++
})
app.post('/refunds', requirePermit({ verifier, action: 'issue_refund', params: (_, body) => body }), (c) => {
  const { params, approvedBy } = c.get('permit') // the approved arguments: nothing else of the request is read
  return c.json({ refunded: params.amount, to: params.customer_id, approved_by: approvedBy })
})
app.get('/count', (c) => c.json(count))

const server = createServer(getRequestListener(app.fetch))
server.listen(0, '127.0.0.1')
await once(server, 'listening')
process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
await once(process, 'disconnect') // whoever started it is gone, or wants it to end
server.closeAllConnections()
server.close()
