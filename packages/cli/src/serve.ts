/**
 * `silentauth serve`: one node of a production gate. Nothing is made up for it; what is missing is named.
 *
 * @module
 */
import { once } from 'node:events'
import type { ProjectId } from '@silentauth/core'
import { productionConfigurationOf, serveGate } from '@silentauth/server'
import { readPolicies } from './policy-watch.js'

export interface ServeCommandOptions {
  readonly firstOwner?: string
  readonly signIn?: string
  readonly policies?: string
  readonly project?: string
  readonly json?: boolean
}

/** Runs until SIGINT or SIGTERM; then whoever waits is answered, and requests under way may end. */
export async function serve(options: ServeCommandOptions): Promise<number> {
  const configuration = productionConfigurationOf(process.env)
  const policies = options.policies === undefined ? undefined : await readPolicies(options.policies)
  // Before the gate opens: a signal that comes while it starts must not leave it half-way.
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  await using gate = await serveGate({
    ...configuration,
    firstOwner: options.firstOwner,
    policies,
    ...(options.project !== undefined && { projectId: options.project as ProjectId }),
  })
  const email = gate.firstOwner?.email ?? options.signIn
  const link = email === undefined ? undefined : await gate.signInLink(email)
  if (options.json) {
    const { url, address, issuer, projectId, jwksUrl } = gate
    console.log(JSON.stringify({ url, address, issuer, project_id: projectId, jwks_url: jwksUrl, sign_in_url: link }))
  } else {
    console.error(`SilentAuth gate for ${gate.url}, project ${gate.projectId}, on ${gate.address}`)
    if (link !== undefined) console.error(`  sign in as ${email}: ${link} (ten minutes, one use)`)
  }
  await stopped
  if (!options.json) console.error('Closing: whoever waits is told, and nothing is lost.')
  return 0
}
