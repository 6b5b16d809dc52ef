/**
 * `silentauth dev`: an embedded gate on loopback, for one developer and their agents.
 *
 * @module
 */
import { once } from 'node:events'
import type { Notifier } from '@silentauth/core'
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
  const opened = Promise.withResolvers<RunningServer>()
  const notifiers = options.json ? [] : [terminalNotifier(opened.promise)]
  await using gate = await startServer({ dataDir: options.data, port: options.port, policies, notifiers })
  const persona = options.personas ? await secondPersona(gate) : undefined
  using _watch =
    options.policies === undefined ? undefined : watchPolicies(options.policies, gate, (line) => console.error(line))

  if (options.json) console.log(JSON.stringify(await readyLine(gate, persona, options.withSignIn ?? false)))
  else await announce(gate, persona, options)
  opened.resolve(gate)
  await stopped
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

/**
 * A fresh link for every new request: it signs in and lands on the review. What was asked while no gate ran is printed when one
 * does, if it still waits.
 */
function terminalNotifier(opened: Promise<RunningServer>): Notifier {
  return {
    name: 'terminal',
    async notify({ event, intentId, action, status }) {
      if (event !== 'intent.created' || status !== 'pending') return
      const gate = await opened
      const link = await gate.signInLink(gate.owner.id, { next: `/inbox/${intentId}` })
      console.error(`${printable(action)} waits for approval: ${link}`)
    },
  }
}
