/**
 * A server: an embedded gate on a port, with its database and keys in a data folder. It runs in a process of its own or inside
 * another one, and needs no configuration.
 *
 * @module
 */
import type { Agent, Person, PolicyDefinition, Role, UserId } from '@silentauth/core'
import { addAgent, addPerson, embedded, identity } from './embedded.js'
import { type GateOptions, gateLogger, type OpenedGate, openGate } from './open-gate.js'
import { signInLink } from './sign-in-link.js'
import { DEFAULT_POLICIES, type StoredChange, storePolicies, warnOfUnknownApprovers } from './stored-policies.js'

export interface ServerOptions extends GateOptions {
  /** All policies of the project, at every start. @default `read_*` is approved by itself */
  readonly policies?: readonly PolicyDefinition[] | undefined
}

export interface RunningServer extends OpenedGate, AsyncDisposable {
  /** Of an agent key that nobody owns; also in `dev.json` of the data folder. */
  readonly secretKey: string
  /** `you@localhost`, who may approve. */
  readonly owner: Person
  /** A link for ten minutes and one use. @throws SilentAuthError `NOT_FOUND` */
  signInLink(person: UserId, options?: { next?: string | undefined }): Promise<string>
  /** Somebody else who may sign in. */
  addPerson(person: { email: string; roles?: readonly Role[]; groups?: readonly string[] }): Promise<Person>
  /** Registers an agent; its owner cannot vote on what it asks for. */
  addAgent(agent: { fingerprint: string; name?: string; owner?: UserId | undefined }): Promise<Agent>
  /** Replaces all policies. */
  setPolicies(policies: readonly PolicyDefinition[]): Promise<StoredChange>
}

/**
 * Opens the data folder, makes what is missing in it, and listens.
 *
 * @throws TypeError for an insecure configuration, saying which; SilentAuthError `LOG_REWRITTEN` when the database is behind what
 * is held of its log; Error when port, folder or database cannot be used, also when
 * the database has a newer schema
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const logger = options.logger ?? gateLogger()
  const { own, ...running } = await openGate(
    { ...options, logger },
    {
      identity: (_, folder) => identity(folder),
      async prepare({ localGate: gate, store, ...connection }, folder) {
        const made = await embedded({ gate, store }, folder, connection)
        warnOfUnknownApprovers(await storePolicies({ gate, store }, options.policies ?? DEFAULT_POLICIES), logger)
        return made
      },
    },
  )
  const { store, projectId, url } = running
  const registry = { gate: running.localGate, store }
  return {
    ...running,
    ...own,
    signInLink: (person, { next } = {}) => signInLink({ store, projectId, publicUrl: url }, person, next),
    addPerson: (person) => addPerson(registry, person),
    addAgent: (agent) => addAgent(registry, agent),
    setPolicies: (policies) => storePolicies(registry, policies),
    [Symbol.asyncDispose]: running.close,
  }
}
