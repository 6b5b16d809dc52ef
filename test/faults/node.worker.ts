/**
 * One node of a gate, in a process of its own, so that it can be killed, cut off, or raced against another one on the same
 * database. Says where it listens, and runs until it is stopped.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { flushCompileCache } from 'node:module'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { localGate, type PrivateJwk, type ProjectId, privateKeySigner } from '@silentauth/core'
import { createGateApp } from '@silentauth/server'
import { type DatabaseTimeouts, type DatabaseUrl, openStore } from './database.ts'
import { heldIn, ISSUER, openLog } from './log.ts'
import { splitStore } from './split-store.ts'
import { stallingStore } from './stalling-store.ts'

export interface NodeOptions {
  readonly database: DatabaseUrl
  readonly projectId: ProjectId
  readonly signingKey: PrivateJwk
  readonly logKey: PrivateJwk
  /** The file in which this node holds the last checkpoint. */
  readonly heldFile: string
  /** Of every node: sessions are for this site. */
  readonly publicUrl: string
  readonly timeouts?: DatabaseTimeouts | undefined
  /** Address that it listens on. @default 127.0.0.1 */
  readonly host?: string | undefined
  /** How long it does nothing once it has locked an intent. @default 0 */
  readonly stallMs?: number | undefined
  /** Seeded defect: state, leaf and outbox are written in transactions of their own. @default false */
  readonly split?: boolean
}

const options = JSON.parse(process.argv[2] ?? '') as NodeOptions
const { host = '127.0.0.1' } = options
const opened = await openStore(options.database, options.timeouts)
const whole = options.stallMs ? stallingStore(opened, options.stallMs) : opened
const store = options.split ? splitStore(whole) : whole
const signer = await privateKeySigner(options.signingKey)
const log = await openLog({ ...options, store: opened }, heldIn(options.heldFile))
const gate = localGate({
  store,
  log,
  signer,
  projectId: options.projectId,
  issuer: ISSUER,
  publicUrl: options.publicUrl,
  maxPendingPerKey: 1_000_000,
})
const server = createServer().listen(0, host)
await once(server, 'listening')
const { port } = server.address() as AddressInfo
const app = createGateApp({
  gate,
  store,
  publicUrl: options.publicUrl,
  hosts: [`${host}:${port}`],
  publicKeys: signer.publicJwk ? [signer.publicJwk] : [],
  limits: { declaresPerMinute: 0, maxWaiters: 20_000, maxWaitersPerPrincipal: 20_000 },
})
server.on('request', getRequestListener(app.fetch))
// Whoever is killed writes nothing at the end.
flushCompileCache()
process.stdout.write(`${JSON.stringify({ url: `http://${host}:${port}` })}\n`)
