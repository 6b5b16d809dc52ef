/**
 * `silentauth dev`: an embedded gate on loopback, for one developer and their agents.
 *
 * @module
 */
import { once } from 'node:events'
import type { IntentId } from '@silentauth/core'
import { type RunningServer, startServer } from '@silentauth/server'
import { readPolicies, watchPolicies } from './policy-watch.js'
import { printable } from './printable.js'

export interface DevOptions {
  readonly data: string
  readonly port: number
  readonly policies?: string
  readonly personas?: boolean
  readonly json?: boolean
  readonly withSignIn?: boolean
}

/** What the second person of `--personas` owns: send it as `source`, and they cannot approve what it asks for. */
const OWNED_AGENT = 'dev-agent'
const OWNER_PERSONA = 'agent-owner@localhost'

/** Runs until SIGINT or SIGTERM. */
export async function dev(options: DevOptions): Promise<number> {
  const policies = options.policies === undefined ? undefined : await readPolicies(options.policies)
  // Before the gate opens: a signal that comes while it starts must not leave it half-way.
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  await using gate = await startServer({ dataDir: options.data, port: options.port, policies })
  const persona = options.personas ? await secondPersona(gate) : undefined
  using _watch =
    options.policies === undefined ? undefined : watchPolicies(options.policies, gate, (line) => console.error(line))

  if (options.json) console.log(JSON.stringify(await readyLine(gate, persona, options.withSignIn ?? false)))
  else await announce(gate, persona, options)
  const silence = options.json ? () => {} : announceIntents(gate)
  await stopped
  silence()
  if (!options.json) console.error('\nClosing: whoever waits is told, and nothing is lost.')
  return 0
}

async function secondPersona(gate: RunningServer): Promise<{ id: `usr_${string}`; email: string }> {
  const person = await gate.addPerson({ email: OWNER_PERSONA, roles: ['approver'] })
  await gate.addAgent({ fingerprint: OWNED_AGENT, name: 'agent with an owner', owner: person.id })
  return person
}

async function readyLine(
  gate: RunningServer,
  persona: { id: `usr_${string}` } | undefined,
  withSignIn: boolean,
): Promise<Record<string, string>> {
  return {
    url: gate.url,
    issuer: gate.issuer,
    project_id: gate.projectId,
    jwks_url: gate.jwksUrl,
    revocations_url: gate.revocationsUrl,
    secret_key: gate.secretKey,
    ...(withSignIn && { sign_in_url: await gate.signInLink(gate.owner.id) }),
    ...(withSignIn && persona && { persona_sign_in_url: await gate.signInLink(persona.id) }),
  }
}

async function announce(
  gate: RunningServer,
  persona: { id: `usr_${string}`; email: string } | undefined,
  { data, policies }: DevOptions,
): Promise<void> {
  const lines = [
    'SilentAuth gate, embedded: for development on this machine.',
    '',
    `  approvals  ${gate.url}/inbox`,
    `  sign in    ${await gate.signInLink(gate.owner.id)}`,
    `             as ${gate.owner.email}; ten minutes, one use; every new request prints a fresh link`,
    ...(persona
      ? [
          `  or         ${await gate.signInLink(persona.id)}`,
          `             as ${persona.email}, who owns the agent "${OWNED_AGENT}": they cannot approve what it asks for`,
        ]
      : []),
    `  policies   ${policies === undefined ? 'read_* runs by itself, everything else asks' : `${policies}, watched`}`,
    `  data       ${data} (the SDK finds the gate through it)`,
    '',
  ]
  console.error(lines.join('\n'))
}

/** A fresh link for every new request: it signs in and lands on the review. */
function announceIntents(gate: RunningServer): () => void {
  const seen = new Set<IntentId>()
  const print = async (id: IntentId): Promise<void> => {
    const state = await gate.store.intent(id)
    if (state?.status !== 'pending' || seen.has(id)) return
    seen.add(id)
    const link = await gate.signInLink(gate.owner.id, { next: `/inbox/${id}` })
    console.error(`${printable(state.declaration.action)} waits for approval: ${link}`)
  }
  return gate.localGate.onChange((id) => {
    if (!seen.has(id)) print(id).catch(() => undefined) // the gate is closing; the inbox has it anyway
  })
}
