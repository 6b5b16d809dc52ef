/** A server in a process of its own, for tests that kill it: prints where it is, and runs until it is stopped. */
import { startServer } from '@silentauth/server'

const [dataDir] = process.argv.slice(2)
const server = await startServer({ dataDir, port: 0, alg: 'EdDSA', dashboardDir: false })
const signInUrl = await server.signInLink(server.owner.id)
console.log(JSON.stringify({ url: server.url, secretKey: server.secretKey, signInUrl }))
