/**
 * Opening a gate: store, keys, log, gate and app, one after the other, on a port; and closing them in the opposite order.
 *
 * @module
 */
import {
  type Anchor,
  anchoring,
  type EpochMs,
  type LocalGate,
  localGate,
  type Notifier,
  type ProjectId,
  type PublicAlg,
  revocationIssuer,
  type Sequencer,
  type Signer,
  type Store,
} from '@silentauth/core'
import { type Logger, pino } from 'pino'
import { type DataFolder, dataFolder } from './data-folder.js'
import { databaseUrl, openStore } from './database.js'
import { deliveryLog } from './delivery-log.js'
import type { Identity } from './embedded.js'
import { warnOfFewDescriptors } from './file-descriptors.js'
import { createGateApp } from './gate-app.js'
import { DEFAULT_LIMITS, type Limits } from './limits.js'
import { listen } from './listener.js'
import { anchorLog, livingLog } from './living-log.js'
import { replacedKeys } from './replaced-keys.js'
import { resultKey } from './result-key.js'
import { requireFresh, requireRetired, retiredKeys } from './retired-keys.js'
import { revocationKey } from './revocation-key.js'
import { secretKey, signingKey } from './signing-key.js'
import { siteOf } from './site.js'
import { defaultDashboardDir } from './static-files.js'

export interface GateOptions {
  /** Database, keys, and who the gate is; made with 0700. @default './.silentauth' */
  readonly dataDir?: string | undefined
  /** The keys alone, where they are not to lie beside the database. @default the data folder */
  readonly keysDir?: string | undefined
  /** `sqlite:<file>`, or `postgres://…` for several nodes, each with the same keys in its folder. @default `gate.db` in the data folder */
  readonly database?: string | undefined
  /** A standby of the database is meant to take over: `/readyz` fails while commits do not wait for it. @default false */
  readonly replicated?: boolean | undefined
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

/** What one kind of gate has of its own. */
export interface GateKind<Own> {
  /** Who it is. @throws TypeError when that cannot be known, or must not be served */
  identity(store: Store, folder: DataFolder, keys: DataFolder): Promise<Identity>
  /** Before the first request: what must be in the store. */
  prepare(opened: OpenedGate, folder: DataFolder): Promise<Own>
}

export interface OpenedGate {
  /** Without a slash at its end. */
  readonly url: string
  /** Where this node listens, for a proxy in front of it. */
  readonly address: string
  readonly issuer: string
  readonly projectId: ProjectId
  readonly jwksUrl: string
  /** Of the signed list; its key is pinned from `revocations.jwks.json` of the data folder. */
  readonly revocationsUrl: string
  readonly localGate: LocalGate
  readonly log: Sequencer
  readonly store: Store
  /** Answers whoever waits, lets requests finish, closes the store. */
  close(): Promise<void>
}

/**
 * @throws TypeError for an insecure configuration, saying which; SilentAuthError `LOG_REWRITTEN` when the database is behind what
 * is held of its log; Error when port, folder or database cannot be used, also when the database has a newer schema
 */
export async function openGate<Own>(
  options: GateOptions,
  kind: GateKind<Own>,
): Promise<OpenedGate & { readonly own: Own }> {
  const { port = 4747, closeTimeoutMs = 5000 } = options
  const host = addressOf(options.host)
  requireSafe(options, host)
  const logger = options.logger ?? gateLogger()
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  warnOfFewDescriptors(logger, limits.maxWaiters)

  /** What is open, in the order in which it was opened. */
  const opened: (() => Promise<void>)[] = []
  const closeAll = async (): Promise<void> => {
    for (const close of opened.splice(0).reverse()) await close()
  }
  try {
    const folder = await dataFolder(options.dataDir ?? '.silentauth')
    const keys = options.keysDir === undefined ? folder : await dataFolder(options.keysDir)
    const retired = await retiredKeys(keys)
    if (options.executionSecret !== undefined) requireFresh(retired, options.executionSecret)
    const database = options.database ?? `sqlite:${folder.fileIn('gate.db')}`
    const store = await openStore({ url: database, replicated: options.replicated, logger })
    opened.push(async () => store[Symbol.asyncDispose]())
    const self = await kind.identity(store, folder, keys)
    const { issuer, projectId } = self
    requireRetired(retired, await store.logEpochs(projectId))
    const now = await store.now()
    const signer =
      options.executionSecret !== undefined
        ? secretKey(options.executionSecret)
        : await signingKey(keys, options.alg ?? 'RS256', now)
    const replaced = await replacedKeys(keys, now)
    const listSigner = await revocationKey(keys, signer.kid)
    const resultsKey = await resultKey(keys)
    const log = await livingLog({
      store,
      folder: keys,
      identity: self,
      others: [signer, listSigner],
      signer: options.logSigner,
      stateDir: options.stateDir,
      volatile: database === 'sqlite::memory:',
      logger,
    })
    opened.push(async () => log[Symbol.asyncDispose]())
    warnOfClock(logger, now, log.head()?.at)
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
      resultKey: resultsKey,
      log,
    })
    opened.splice(3, 0, async () => gate[Symbol.asyncDispose]())
    const running: OpenedGate = {
      url,
      address: `http://${urlHost(host)}:${listener.port}`,
      issuer,
      projectId,
      jwksUrl: `${url}/.well-known/jwks.json`,
      revocationsUrl: `${url}/.well-known/silentauth-revocations`,
      localGate: gate,
      log,
      store,
      close: closeAll,
    }
    const own = await kind.prepare(running, folder)

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
    listener.serve(app)
    return { ...running, own }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** Warnings and errors, on standard error. */
export function gateLogger(): Logger {
  return pino({ name: 'silentauth', level: 'warn' }, pino.destination(2))
}

const LOOPBACK = ['127.0.0.1', '::1']

/** What `localhost` is differs from system to system, and clients accept http for the two addresses only. */
function addressOf(host = '127.0.0.1'): string {
  return host === 'localhost' ? '127.0.0.1' : host
}

/** Between two clocks that are set by NTP. */
const MAX_CLOCK_SKEW_MS = 5000

/** What was over would be open again: the clock that decides has been set back, or another host took over whose clock is behind. */
function warnOfClock(logger: Logger, now: EpochMs, signedAt: EpochMs | undefined): void {
  const behindMs = (signedAt ?? now) - now
  if (behindMs <= MAX_CLOCK_SKEW_MS) return
  logger.warn({ behindMs }, 'the clock that decides is behind the last checkpoint of the log: set it by NTP')
}

/** Before anything is opened or made. */
function requireSafe({ publicUrl, database, executionSecret }: GateOptions, host: string): void {
  if (executionSecret !== undefined) secretKey(executionSecret)
  if (publicUrl !== undefined) siteOf(publicUrl)
  if (database !== undefined) databaseUrl(database)
  if (!LOOPBACK.includes(host) && !publicUrl?.startsWith('https:')) {
    throw new TypeError('a host that others can reach needs a public URL with https')
  }
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
