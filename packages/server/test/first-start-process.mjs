/** Starts a server in each folder that is named on standard input, as soon as it is, and tells who it is. Ends with its input. */
import { createInterface } from 'node:readline'
import { startServer } from '@silentauth/server'

const say = (said) => console.log(JSON.stringify(said))
say('ready')
for await (const line of createInterface({ input: process.stdin })) {
  const { dataDir, stateDir } = JSON.parse(line)
  const server = await startServer({ dataDir, stateDir, port: 0, alg: 'EdDSA', dashboardDir: false }).catch((error) => {
    say({ refused: String(error) })
  })
  if (!server) continue
  const { keys } = await (await fetch(server.jwksUrl)).json()
  const declared = await fetch(`${server.url}/api/intents`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.secretKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ action: 'read_logs', source_type: 'ai_agent' }),
  })
  say({
    issuer: server.issuer,
    projectId: server.projectId,
    owner: server.owner.id,
    secretKey: server.secretKey,
    permitKid: keys[0].kid,
    revocations: JSON.parse(
      Buffer.from((await (await fetch(server.revocationsUrl)).text()).split('.')[0], 'base64url').toString(),
    ).kid,
    vkey: server.log.vkey,
    declared: (await declared.json()).decision,
  })
  await server.close()
}
