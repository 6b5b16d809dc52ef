/** A server in a process of its own, for tests that kill it: prints where it is, and runs until it is stopped. */
import { startServer } from '@silentauth/server'
import { webhook } from './webhook.mjs'

const [dataDir, receiver] = process.argv.slice(2)
const notifiers = receiver === undefined ? [] : [webhook(receiver)]
const server = await startServer({ dataDir, port: 0, alg: 'EdDSA', dashboardDir: false, notifiers })
const signInUrl = await server.signInLink(server.owner.id)
console.log(JSON.stringify({ url: server.url, secretKey: server.secretKey, signInUrl }))
