/**
 * The command line: which commands there are, what they take, and which exit code their ends have. A command is loaded
 * when it is called: looking into the inbox must not wait for a database to load.
 *
 * @module
 */
import { createRequire } from 'node:module'
import { isSilentAuthError } from '@silentauth/core'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { readConfiguration } from './configuration-file.js'
import { parseDuration } from './duration.js'
import { AUDIT_EXIT, EXIT } from './exit.js'
import { printable } from './printable.js'

const AGENT_ACTS = {
  pause: 'stop an agent, at once',
  resume: 'let a paused agent run again',
  revoke: 'stop an agent for good',
} as const

const OF_PERMITS = ['action', 'params', 'project', 'audience', 'issuer', 'jwks'] as const

/** @returns the exit code; everything for machines goes to stdout, everything for people to stderr */
export async function main(args: readonly string[]): Promise<number> {
  try {
    readConfiguration(process.env.SILENTAUTH_CONFIG)
  } catch (error) {
    return exitCodeOf(error)
  }
  const program = new Command('silentauth')
    .description('Cryptographic proof that a human approved the action.')
    .version(versionOfThis(), '--version')
    .showHelpAfterError()
    .exitOverride()
  let code: number = EXIT.ok
  const ends =
    <Args extends unknown[]>(run: (...args: Args) => Promise<number>) =>
    async (...given: Args): Promise<void> => {
      code = await run(...given)
    }

  program
    .command('dev')
    .description('start an embedded gate on loopback, with its approval page')
    .option('--data <folder>', 'where database, keys and dev.json live', dataFolder())
    .option('--port <number>', '0: any free one', parsePort, 4747)
    .option('--policies <file>', 'policies as JSON; watched, and stored again when it changes')
    .option('--personas', 'a second sign-in link, for an agent owner: try self-approval and quorum alone')
    .option('--json', 'one line on stdout when ready')
    .option('--with-sign-in', 'the line of --json has a sign-in link')
    .action(ends(async (options) => (await import('./dev.js')).dev(options)))

  program
    .command('serve')
    .description('run one node of a production gate, configured by SILENTAUTH_DATABASE, _PUBLIC_URL, _DATA and others')
    .option('--first-owner <e-mail>', 'of an empty database: who may do everything in it')
    .option('--sign-in <e-mail>', 'print a sign-in link for somebody who is registered')
    .option('--policies <file>', 'policies as JSON, stored at the start')
    .option('--project <id>', 'default: SILENTAUTH_PROJECT, else the only one in the database')
    .option('--json', 'one line on stdout when ready')
    .action(ends(async (options) => (await import('./serve.js')).serve(options)))

  program
    .command('login')
    .argument('<sign-in-url>', 'the link that the gate printed')
    .description('sign in, so that inbox, approve and deny work here')
    .action(ends(async (url: string) => (await import('./login.js')).login(url)))
  program
    .command('logout')
    .description('end the session')
    .action(ends(async () => (await import('./login.js')).logout()))

  program
    .command('inbox')
    .argument('[intent]', 'show one intent in full')
    .option('--all', 'decided ones too')
    .option('--json', 'the answer of the gate, on stdout')
    .description('what waits for a decision')
    .action(ends(async (intent, options) => (await import('./inbox.js')).inbox(intent, options)))

  for (const verdict of ['approve', 'deny'] as const) {
    program
      .command(verdict)
      .argument('<intent>', 'as `silentauth inbox` lists it')
      .option('--comment <text>', verdict === 'deny' ? 'the reason; the agent reads it' : 'kept with the vote')
      .option('--yes', 'do not ask again')
      .addOption(new Option('--confirm <text>', 'the text that the review asks for').hideHelp(verdict === 'deny'))
      .description(`${verdict} an intent; the vote is final`)
      .action(ends(async (intent: string, options) => (await import('./decide.js')).decide(verdict, intent, options)))
  }

  const agents = program.command('agents').description('registered agents, and the kill switch')
  agents
    .command('list', { isDefault: true })
    .option('--json', 'as JSON, on stdout')
    .description('the registered agents')
    .action(ends(async (options) => (await import('./agents.js')).listAgents(options)))
  for (const [act, description] of Object.entries(AGENT_ACTS)) {
    agents
      .command(act)
      .argument('<agent>', 'its id or its fingerprint')
      .description(description)
      .action(
        ends(async (agent: string) => (await import('./agents.js')).setAgent(act as keyof typeof AGENT_ACTS, agent)),
      )
  }

  const keys = program.command('keys').description('project keys of agents and backends')
  keys
    .command('list', { isDefault: true })
    .option('--json', 'as JSON, on stdout')
    .description('the keys, without their secrets')
    .action(ends(async (options) => (await import('./keys.js')).listKeys(options)))
  keys
    .command('create')
    .argument('<name>')
    .option('--agent <id...>', 'it speaks for these agents alone')
    .option('--verifier', 'of a backend that verifies permits')
    .option('--replaces <key>', 'keeps the intents of this key, which works until it is disabled')
    .description('make a key; its secret is printed once, on stdout')
    .action(ends(async (name: string, options) => (await import('./keys.js')).createKey(name, options)))
  keys
    .command('rotate')
    .option('--compromised', 'somebody else may have the key: nothing that it signed is good any more')
    .option('--data <folder>', 'with the keys', keysFolder())
    .description('give the gate another permit key, from its next start on')
    .action(ends(async (options) => (await import('./rotate-key.js')).rotateKey(options)))
  keys
    .command('disable')
    .argument('<key>', 'its id')
    .description('end a key for good, with all of its permits')
    .action(ends(async (key: string) => (await import('./keys.js')).disableKey(key)))

  program
    .command('prune')
    .requiredOption('--older-than <duration>', '36h, 90d, 12w; at least a day', parseDuration)
    .option('--data <folder>', 'of an embedded gate', dataFolder())
    .option('--database <file-or-url>', 'default: SILENTAUTH_DATABASE, else gate.db in the data folder')
    .option('--project <id>', 'default: SILENTAUTH_PROJECT, else the only one in the database')
    .description('take away the intents that have been over for a while; the log stays whole')
    .action(ends(async (options) => (await import('./prune.js')).prune(options)))

  program
    .command('erase')
    .argument('<intent>', 'a settled one')
    .requiredOption('--reason <text>', 'kept in the log')
    .option('--yes', 'do not ask again')
    .description('take the values of an intent out of the audit log, for good; for owners and admins')
    .action(ends(async (intent: string, options) => (await import('./erase.js')).erase(intent, options)))

  program
    .command('verify')
    .argument('<permit-or-bundle>', 'the token; with --trust the file of a proof bundle; - reads from stdin')
    .option('--trust <fingerprint>', 'of the log key, from elsewhere: verifies a proof bundle, offline')
    .option('--json', 'what was found in a bundle, on stdout')
    .option('--action <name>', 'of a permit')
    .option('--params <json>', 'of a permit: the arguments that are about to run; @file reads a file')
    .option('--project <id>', 'default: of the gate in --data')
    .option('--audience <name>', 'default: urn:silentauth:<project>:<action>')
    .option('--issuer <name>', 'default: of the gate in --data')
    .option('--jwks <url-or-file>', 'default: public.jwks.json of the gate in --data')
    .option('--data <folder>', 'of an embedded gate', dataFolder())
    .description('check a permit as a backend would, or a proof bundle as an auditor would; both offline')
    .action(
      ends(async (given: string, options) => {
        if (options.trust !== undefined) {
          return audited(async () => {
            const ofPermits = OF_PERMITS.filter((name) => options[name] !== undefined)
            // Ignored, they would look as if they had been compared.
            if (ofPermits.length > 0) throw new TypeError(`--trust is of a bundle, and --${ofPermits[0]} of a permit`)
            return (await import('./proof.js')).verifyBundle(given, options)
          })
        }
        if (options.action === undefined || options.params === undefined) {
          throw new TypeError('a permit is verified with --action and --params, a proof bundle with --trust')
        }
        return (await import('./verify.js')).verify(given, options)
      }),
    )

  program
    .command('proof')
    .argument('<intent>', 'its id')
    .option('--out <file>', 'default: <intent>.proof.json; - writes to stdout')
    .option('--values', 'also what is hidden from approvers; for owners and admins')
    .description('the proof bundle of an intent: one file that a stranger verifies offline')
    .action(ends(async (intent: string, options) => (await import('./proof.js')).proof(intent, options)))

  const audit = program.command('audit').description('the audit log: export it, verify an export, prove a leaf')
  audit
    .command('export')
    .option('--out <folder>', 'default: audit-<leaves>')
    .option('--values', 'also what the leaves commit to; for owners and admins')
    .description('the leaves up to the newest checkpoint, as files')
    .action(ends(async (options) => (await import('./audit.js')).auditExport(options)))
  audit
    .command('verify')
    .argument('<folder>', 'of an export')
    .requiredOption('--trust <fingerprint>', 'of the log key, from elsewhere')
    .option('--since <checkpoint...>', 'files of checkpoints that somebody kept')
    .option('--json', 'what was found, on stdout')
    .description('offline: 0 whole, 1 tampered, 2 wrong usage, 3 incomplete')
    .action(
      ends((folder: string, options) => audited(async () => (await import('./audit.js')).auditVerify(folder, options))),
    )
  audit
    .command('proof')
    .argument('<leaf>', 'its id or its place')
    .option('--since <checkpoint>', 'file of a checkpoint that somebody kept')
    .description('that a leaf is in the log, and that the log still begins as it did')
    .action(ends(async (leaf: string, options) => (await import('./audit.js')).auditProof(leaf, options)))

  program
    .command('restore')
    .option('--accept', 'the database is an older one, and what it lost is lost')
    .option('--data <folder>', 'of a gate that is stopped', dataFolder())
    .option('--state <folder>', 'where the last checkpoint is held; default: SILENTAUTH_STATE, else the state folder')
    .option('--json', 'the outcome, on stdout')
    .description('after a backup was restored: what was lost; with --accept, go on without it')
    .action(ends(async (options) => (await import('./restore.js')).restore(options)))

  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    const code = exitCodeOf(error)
    return code === EXIT.usage && verifiesForAuditors(args) ? AUDIT_EXIT.usage : code
  }
}

/** What could not be looked at was not found to be tampered with. */
async function audited(verify: () => Promise<number>): Promise<number> {
  try {
    return await verify()
  } catch (error) {
    console.error(error instanceof Error ? printable(error.message) : 'failed')
    return AUDIT_EXIT.usage
  }
}

function verifiesForAuditors([first, second, ...rest]: readonly string[]): boolean {
  if (first === 'audit') return second === 'verify'
  return first === 'verify' && [second, ...rest].some((arg) => arg === '--trust' || arg?.startsWith('--trust='))
}

function exitCodeOf(error: unknown): number {
  // It has printed its own message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (!isSilentAuthError(error)) {
    console.error(error instanceof Error ? printable(error.message) : 'failed')
    return error instanceof TypeError ? EXIT.usage : 1
  }
  console.error(printable(error.message))
  console.error(`  ${error.hint}`)
  switch (error.code) {
    case 'UNAUTHORIZED':
      return EXIT.signedOut
    case 'GATE_UNAVAILABLE':
      return EXIT.unavailable
    default:
      return EXIT.refused
  }
}

/** Of the package that this file is in, built or not. */
function versionOfThis(): string {
  const { version } = createRequire(import.meta.url)('silentauth/package.json') as { version: string }
  return version
}

function dataFolder(): string {
  return process.env.SILENTAUTH_DATA ?? '.silentauth'
}

function keysFolder(): string {
  return process.env.SILENTAUTH_KEYS ?? dataFolder()
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('a port is a number from 0 to 65535')
  return port
}
