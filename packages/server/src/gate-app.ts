/**
 * The gate app: a Hono app over one `localGate`, made from the route table. It runs anywhere that Hono runs, and in process
 * through `app.request()`; `startServer` puts it on a port.
 *
 * @module
 */
import type { ServerResponse } from 'node:http'
import {
  type LocalGate,
  newId,
  type PublicJwk,
  type RevocationIssuer,
  SilentAuthError,
  type Store,
} from '@silentauth/core'
import { type Context, Hono } from 'hono'
import { type Logger, pino } from 'pino'
import { agentRoutes } from './agent-routes.js'
import { type Answer, dataAnswer, errorAnswer, toResponse } from './answers.js'
import { auditLogRoutes, type CheckpointSource } from './audit-log-routes.js'
import { auditRoutes } from './audit-routes.js'
import { counterRoutes } from './counter-routes.js'
import { type Credentials, credentials } from './credential.js'
import { delegationRoutes } from './delegation-routes.js'
import { directoryRoutes } from './directory-routes.js'
import { erasureRoutes } from './erasure-routes.js'
import { type Connection, holdAnswer } from './held-response.js'
import { inboxRoutes } from './inbox-routes.js'
import { queryOf, readBody } from './input.js'
import { DEFAULT_LIMITS, type Limits } from './limits.js'
import { openApiDocument } from './openapi.js'
import { operationRoutes } from './operation-routes.js'
import { projectKeyRoutes } from './project-key-routes.js'
import { registeredAgentRoutes } from './registered-agent-routes.js'
import { logRequest } from './request-log.js'
import { revocationRoutes } from './revocation-routes.js'
import type { Route } from './route-table.js'
import { sessionRoutes } from './session-routes.js'
import { type Site, siteOf } from './site.js'
import { PAGE_HEADERS, staticFiles } from './static-files.js'
import { tokenBuckets } from './token-bucket.js'
import { transportRetryOf } from './transport-retry.js'
import { waitRoutes } from './wait-routes.js'
import { type Waiters, waiters } from './waiters.js'

export interface GateAppOptions {
  readonly gate: LocalGate
  readonly store: Store
  /** Where people reach it: https, or http on a loopback host. */
  readonly publicUrl: string
  /** Further Host headers that a proxy in front sends. @default [] */
  readonly hosts?: readonly string[] | undefined
  /** What `/.well-known/jwks.json` shows: `signer.publicJwk`, and retired keys. @default [] */
  readonly publicKeys?: readonly PublicJwk[] | undefined
  /** What `/.well-known/silentauth-revocations` hands out. @default none: verifiers cannot poll */
  readonly revocations?: RevocationIssuer | undefined
  /** The living log, whose checkpoints go with answers to claims and redemptions, and whose proofs and exports auditors get. @default none */
  readonly log?: CheckpointSource | undefined
  readonly limits?: Partial<Limits> | undefined
  /** Folder of the dashboard's build. @default none */
  readonly dashboardDir?: string | undefined
  /** @default silent */
  readonly logger?: Logger | undefined
  /** Catch-up of waiters for changes by another process; 0: never. @default 5000 */
  readonly pollMs?: number | undefined
  /** Waiters ask again whether their credential holds. @default 60_000 */
  readonly recheckMs?: number | undefined
  /** Of streams. @default 20_000 */
  readonly heartbeatMs?: number | undefined
}

/** What the server in front passes along. */
export interface GateEnv {
  Bindings: {
    readonly outgoing?: ServerResponse
    /** Nothing between this app and the socket rebuilds responses, so waiting ones may be written on it. */
    readonly ownsResponse?: boolean
  }
}

/** A Hono app that can be served, mounted or asked by `request()`. */
export type GateApp = Hono<GateEnv> & Disposable & GateAppParts
interface GateAppParts {
  /** The route table. */
  readonly table: readonly Route[]
  readonly waiters: Pick<Waiters, 'size' | 'drain' | 'draining'>
}

export function createGateApp(options: GateAppOptions): GateApp {
  const { gate, store, logger = pino({ level: 'silent' }) } = options
  const { projectId } = gate
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const site = siteOf(options.publicUrl, options.hosts)
  const identify = credentials({ store, projectId, site })
  const waiting = waiters({
    max: limits.maxWaiters,
    maxPerPrincipal: limits.maxWaitersPerPrincipal,
    recheckMs: options.recheckMs,
    beatMs: options.heartbeatMs,
    pollMs: options.pollMs,
    settledAmong: (ids) => store.settledAmong(ids),
  })
  const stopListening = gate.onChange((id) => waiting.wake(id))
  // What other nodes changed, where the store can tell.
  const unsubscribe = store.changes?.subscribe(
    (ids) => ids.forEach(waiting.wake),
    () => void waiting.catchUp(),
  )

  const table: readonly Route[] = [
    ...agentRoutes({ gate, store, declares: tokenBuckets({ perMinute: limits.declaresPerMinute }), log: options.log }),
    ...counterRoutes({ gate, store, log: options.log }),
    // Before the inbox, whose `{id}` would take `events` for an id.
    ...waitRoutes({ gate, credentials: identify, waiters: waiting }),
    ...inboxRoutes({ desk: gate.desk, store }),
    ...sessionRoutes({ store, projectId, site }),
    ...registeredAgentRoutes({ registrar: gate.registrar }),
    ...projectKeyRoutes({ registrar: gate.registrar }),
    ...directoryRoutes({ registrar: gate.registrar }),
    ...delegationRoutes({ registrar: gate.registrar }),
    ...auditRoutes({ store, projectId }),
    ...erasureRoutes({ gate }),
    ...auditLogRoutes({ store, projectId, log: options.log }),
    ...revocationRoutes({ revocations: options.revocations }),
    ...operationRoutes({
      store,
      projectId,
      publicKeys: options.publicKeys ?? [],
      isDraining: () => waiting.draining,
      openApi: lazily(() => openApiDocument(table, { cookieName: site.cookieName, version: VERSION })),
    }),
  ]

  const app = new Hono<GateEnv>()
  for (const route of table) {
    app.on(route.method, honoPath(route.path), (context) =>
      serveRoute({ route, identify, site, logger, waiting }, context),
    )
  }
  serveFiles(app, { folder: options.dashboardDir, site, logger })
  return Object.assign(app, {
    table,
    waiters: waiting,
    [Symbol.dispose]() {
      stopListening()
      unsubscribe?.()
      waiting[Symbol.dispose]()
    },
  })
}

/** Of the API; it moves when the API does. */
const VERSION = '0.1.0'

interface Serving {
  readonly route: Route
  readonly identify: Credentials
  readonly site: Site
  readonly logger: Logger
  readonly waiting: Waiters
}

/** Who is it, what do they say, what is the answer: in this order, so that nobody learns anything before the first. */
async function serveRoute(
  { route, identify, site, logger, waiting }: Serving,
  context: Context<GateEnv>,
): Promise<Response> {
  const request = context.req.raw
  const id = newId('req')
  const headers = { 'x-request-id': id, ...transportHeaders(site), ...(waiting.draining && { connection: 'close' }) }
  const { outgoing, ownsResponse } = context.env ?? {}
  const connection: Connection = { id, raw: ownsResponse ? outgoing : undefined, request, headers }
  const line = { requestId: id, route, intentId: context.req.param('id'), startedAt: performance.now() }
  let who: Awaited<ReturnType<Credentials['authenticate']>>
  try {
    who = await identify.authenticate(route.access, request, route.roles)
    const body = route.body ? await readBody(request, { optional: route.bodyOptional ?? false }) : undefined
    const result = await route.answer({
      who,
      path: context.req.param(),
      query: queryOf(request.url),
      json: body?.json ?? {},
      retry: body && who ? transportRetryOf(request, body.text) : undefined,
      connection,
    })
    if ('held' in result) {
      logRequest(logger, { ...line, who, status: 'held' })
      return result.held
    }
    const answer = withHeaders(answerOf(route, result), route.everyAnswer?.())
    logRequest(logger, { ...line, who, status: answer.status })
    return written(connection, answer)
  } catch (error) {
    const answer = withHeaders(errorAnswer(error, id), who && route.everyAnswer?.())
    logRequest(logger, { ...line, who, status: answer.status }, error)
    return written(connection, answer)
  }
}

function written(connection: Connection, answer: Answer): Response | Promise<Response> {
  const { send, response } = holdAnswer(connection)
  send(answer)
  return response
}

function withHeaders(answer: Answer, more: Readonly<Record<string, string>> | undefined): Answer {
  return more ? { ...answer, headers: { ...answer.headers, ...more } } : answer
}

function answerOf(route: Route, result: Exclude<Awaited<ReturnType<Route['answer']>>, { held: unknown }>): Answer {
  if (!('document' in result)) return dataAnswer({ ...result, status: result.status ?? route.status })
  const { headers } = dataAnswer({ data: null, headers: result.headers })
  return { status: 200, headers, body: JSON.stringify(result.document) }
}

/** The dashboard, and what is said about everything that is not there. */
function serveFiles(
  app: Hono<GateEnv>,
  { folder, site, logger }: { folder: string | undefined; site: Site; logger: Logger },
): void {
  const files = staticFiles(folder)
  const transport = transportHeaders(site)
  app.get('*', async (context, next) => {
    const pathname = context.req.path
    const file = files.find(pathname)
    if (file) return new Response(file.bytes, { headers: { ...file.headers, ...transport } })
    // A browser asks for it by itself, and its 404 would stand in the console as an error.
    if (pathname === '/favicon.ico') return new Response(null, { status: 204, headers: { ...PAGE_HEADERS } })
    return next()
  })
  app.notFound(() => {
    const id = newId('req')
    const error = new SilentAuthError('NOT_FOUND', 'no route of this gate has this method and path')
    const answer = errorAnswer(error, id)
    logRequest(
      logger,
      {
        requestId: id,
        route: undefined,
        who: undefined,
        intentId: undefined,
        status: answer.status,
        startedAt: performance.now(),
      },
      error,
    )
    return toResponse(answer, { 'x-request-id': id, ...transport })
  })
}

/** Once seen over https, never again over http. */
function transportHeaders({ secure }: Site): Readonly<Record<string, string>> {
  return secure ? { 'strict-transport-security': 'max-age=63072000' } : {}
}

function honoPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1')
}

function lazily<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
