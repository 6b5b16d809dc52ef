/**
 * A server: the gate app on a port, over a SQLite file and keys in a data folder. It runs in a process of its own or inside
 * another one, and needs no configuration.
 *
 * @module
 */
import {
  type Agent,
  type Anchor,
  anchoring,
  type LocalGate,
  localGate,
  type Notifier,
  type Person,
  type PolicyDefinition,
  type ProjectId,
  type PublicAlg,
  type Role,
  revocationIssuer,
  type Sequencer,
  type Signer,
  type Store,
  type UserId,
} from '@silentauth/core'
import { sqliteStore } from '@silentauth/store/sqlite'
import { type Logger, pino } from 'pino'
import { dataFolder } from './data-folder.js'
import { deliveryLog } from './delivery-log.js'
import { addAgent, addPerson, embedded, identity, writeConnection } from './embedded.js'
import { warnOfFewDescriptors } from './file-descriptors.js'
import { createGateApp } from './gate-app.js'
import { DEFAULT_LIMITS, type Limits } from './limits.js'
import { listen } from './listener.js'
import { anchorLog, livingLog } from './living-log.js'
import { replacedKeys } from './replaced-keys.js'
import { requireFresh, retiredKeys } from './retired-keys.js'
import { revocationKey } from './revocation-key.js'
import { signInLink } from './sign-in-link.js'
import { secretKey, signingKey } from './signing-key.js'
import { siteOf } from './site.js'
import { defaultDashboardDir } from './static-files.js'
import { DEFAULT_POLICIES, type StoredChange, storePolicies } from './stored-policies.js'

export interface ServerOptions {
  /** Database, keys, and who the gate is; made with 0700. @default './.silentauth' */
  readonly dataDir?: string | undefined
  /** @default `gate.db` in the data folder */
  readonly databaseFile?: string | undefined
  /** 0: any free one. @default 4747 */
  readonly port?: number | undefined
  /** Another than a loopback address needs a public URL with https. @default '127.0.0.1' */
  readonly host?: string | undefined
  /** Where people reach it: approval and sign-in links begin with it. @default the address it listens on */
  readonly publicUrl?: string | undefined
  /** Further Host headers that a proxy in front sends. @default [] */
  readonly hosts?: readonly string[] | undefined
  /** Of a new signing key. @default 'RS256' */
  readonly alg?: PublicAlg | undefined
  /** Of the checkpoints of the audit log, Ed25519, and of nothing else. @default a key file in the data folder */
  readonly logSigner?: Signer | undefined
  /** Where the last checkpoint is held: not on the disk of the database. @default `SILENTAUTH_STATE`, else the user's state folder */
  readonly stateDir?: string | undefined
  /** What takes checkpoints, besides the file that holds the last one. @default [] */
  readonly anchors?: readonly Anchor[] | undefined
  /** HS256 profile: every holder of it can make permits. @default none: a key pair */
  readonly executionSecret?: string | undefined
  /** All policies of the project, at every start. @default `read_*` is approved by itself */
  readonly policies?: readonly PolicyDefinition[] | undefined
  readonly limits?: Partial<Limits> | undefined
  /** @default 50 */
  readonly maxPendingPerKey?: number | undefined
  /** How long a person's denial answers the same request again, in whole seconds; 0: not at all. @default 600 */
  readonly denialMemorySeconds?: number | undefined
  /** Folder of the dashboard's build; false: none. @default the one in this package */
  readonly dashboardDir?: string | false | undefined
  /** @default warnings and errors, on standard error */
  readonly logger?: Logger | undefined
  /** Channels that hear of what happens, at least once each; what fails is tried again for two days. @default none */
  readonly notifiers?: readonly Notifier[] | undefined
  /** Catch-up of waiters for what another process decided over the same file; 0: never. @default 5000 */
  readonly pollMs?: number | undefined
  /** How long `close` waits for requests that are under way. @default 5000 */
  readonly closeTimeoutMs?: number | undefined
}

export interface RunningServer extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string
  readonly issuer: string
  readonly projectId: ProjectId
  readonly jwksUrl: string
  /** Of the signed list; its key is pinned from `revocations.jwks.json` of the data folder. */
  readonly revocationsUrl: string
  /** Of an agent key that nobody owns; also in `dev.json` of the data folder. */
  readonly secretKey: string
  /** `you@localhost`, who may approve. */
  readonly owner: Person
  readonly localGate: LocalGate
  readonly log: Sequencer
  readonly store: Store
  /** A link for ten minutes and one use. @throws SilentAuthError `NOT_FOUND` */
  signInLink(person: UserId, options?: { next?: string | undefined }): Promise<string>
  /** Somebody else who may sign in. */
  addPerson(person: { email: string; roles?: readonly Role[]; groups?: readonly string[] }): Promise<Person>
  /** Registers an agent; its owner cannot vote on what it asks for. */
  addAgent(agent: { fingerprint: string; name?: string; owner?: UserId | undefined }): Promise<Agent>
  /** Replaces all policies. */
  setPolicies(policies: readonly PolicyDefinition[]): Promise<StoredChange>
  /** Answers whoever waits, lets requests finish, closes the store. */
  close(): Promise<void>
}

/**
 * Opens the data folder, makes what is missing in it, and listens.
 *
 * @throws TypeError for an insecure configuration, saying which; SilentAuthError `LOG_REWRITTEN` when the database is behind what
 * is held of its log; Error when port, folder or database cannot be used, also when
 * the database has a newer schema
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const { port = 4747, closeTimeoutMs = 5000 } = options
  const host = addressOf(options.host)
  requireSafe(options, host)
  const logger = options.logger ?? pino({ name: 'silentauth', level: 'warn' }, pino.destination(2))
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  warnOfFewDescriptors(logger, limits.maxWaiters)

  /** What is open, in the order in which it was opened. */
  const opened: (() => Promise<void>)[] = []
  const closeAll = async (): Promise<void> => {
    for (const close of opened.splice(0).reverse()) await close()
  }
  try {
    const folder = await dataFolder(options.dataDir ?? '.silentauth')
    const retired = await retiredKeys(folder)
    const replaced = await replacedKeys(folder)
    if (options.executionSecret !== undefined) requireFresh(retired, options.executionSecret)
    const signer =
      options.executionSecret !== undefined
        ? secretKey(options.executionSecret)
        : await signingKey(folder, options.alg ?? 'RS256')
    const store = await sqliteStore({ file: options.databaseFile ?? folder.fileIn('gate.db') })
    opened.push(async () => store[Symbol.asyncDispose]())
    const self = await identity(folder)
    const { issuer, projectId } = self
    const listSigner = await revocationKey(folder, signer.kid)
    const log = await livingLog({
      store,
      folder,
      identity: self,
      others: [signer, listSigner],
      signer: options.logSigner,
      stateDir: options.stateDir,
      volatile: options.databaseFile === ':memory:',
      logger,
    })
    opened.push(async () => log[Symbol.asyncDispose]())
    const anchored = anchoring({ log, anchors: options.anchors ?? [], onFailure: anchorLog(logger) })
    opened.splice(1, 0, async () => anchored[Symbol.asyncDispose]())

    const listener = await listen({ port, host })
    opened.push(() => listener.close(closeTimeoutMs))
    const { publicUrl: url } = siteOf(options.publicUrl ?? `http://${urlHost(host)}:${listener.port}`)
    const shown = replaced.filter(({ kid }) => kid !== signer.kid)
    const gate = localGate({
      store,
      signer,
      retiredKeys: shown,
      projectId,
      issuer,
      publicUrl: url,
      maxPendingPerKey: options.maxPendingPerKey,
      denialMemorySeconds: options.denialMemorySeconds,
      pollMs: options.pollMs,
      notifiers: options.notifiers,
      onDeliveryFailure: deliveryLog(logger),
      log,
    })
    opened.splice(3, 0, async () => gate[Symbol.asyncDispose]())
    const own = { gate, store }
    const { secretKey: agentKey, owner } = await embedded(own, folder)
    await storePolicies(own, options.policies ?? DEFAULT_POLICIES)

    const app = createGateApp({
      gate,
      store,
      publicUrl: url,
      hosts: options.hosts,
      publicKeys: signer.publicJwk ? [signer.publicJwk, ...shown] : [],
      revocations: revocationIssuer({ store, projectId, issuer, signer: listSigner, kids: () => retired.kids }),
      limits,
      pollMs: options.pollMs,
      log,
      dashboardDir: options.dashboardDir === false ? undefined : (options.dashboardDir ?? defaultDashboardDir()),
      logger,
    })
    opened.splice(4, 0, async () => app[Symbol.dispose]())
    const jwksUrl = `${url}/.well-known/jwks.json`
    const revocationsUrl = `${url}/.well-known/silentauth-revocations`
    await writeConnection(folder, { url, issuer, projectId, jwksUrl, revocationsUrl, secretKey: agentKey })
    listener.serve(app)

    return {
      url,
      issuer,
      projectId,
      jwksUrl,
      revocationsUrl,
      secretKey: agentKey,
      owner,
      localGate: gate,
      log,
      store,
      signInLink: (person, { next } = {}) => signInLink({ store, projectId, publicUrl: url }, person, next),
      addPerson: (person) => addPerson(own, person),
      addAgent: (agent) => addAgent(own, agent),
      setPolicies: (policies) => storePolicies(own, policies),
      close: closeAll,
      [Symbol.asyncDispose]: closeAll,
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

const LOOPBACK = ['127.0.0.1', '::1']

/** What `localhost` is differs from system to system, and clients accept http for the two addresses only. */
function addressOf(host = '127.0.0.1'): string {
  return host === 'localhost' ? '127.0.0.1' : host
}

/** Before anything is opened or made. */
function requireSafe({ publicUrl }: ServerOptions, host: string): void {
  if (publicUrl !== undefined) siteOf(publicUrl)
  if (!LOOPBACK.includes(host) && !publicUrl?.startsWith('https:')) {
    throw new TypeError('a host that others can reach needs a public URL with https')
  }
}

function urlHost(host: string): string {
  return host === '::1' ? '[::1]' : '127.0.0.1'
}
