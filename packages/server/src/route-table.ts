/**
 * The route table: one typed entry per route, from which the app, the OpenAPI document, the README's table and the
 * authorisation tests are made. What is not in it does not exist.
 *
 * @module
 */
import { type ErrorCode, type IntentId, type Role, SilentAuthError } from '@silentauth/core'
import type { z } from 'zod'
import type { Result } from './answers.js'
import type { Access, SignedKey } from './credential.js'
import type { Connection } from './held-response.js'
import { parseInput } from './input.js'
import { noQuery } from './request-forms.js'
import type { SignedIn } from './session.js'
import type { TransportRetry } from './transport-retry.js'

interface WhoByAccess {
  readonly open: undefined
  readonly 'sign-in': undefined
  readonly agent: SignedKey
  readonly key: SignedKey
  readonly person: SignedIn
}

/** A request after authentication, read by the forms of its route. */
export interface GateRequest<Of extends Access, Query, Body> {
  readonly who: WhoByAccess[Of]
  /** Of `{id}` in the path. */
  readonly intentId: IntentId
  /** What stands in the path in the place of each `{name}`; read ids with `pathId`. */
  readonly path: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
  /** Its `Idempotency-Key`. */
  readonly retry: TransportRetry | undefined
  readonly connection: Connection
}

/** A response that the handler writes itself, perhaps later. */
export interface Held {
  readonly held: Response | Promise<Response>
}
/** A document that is no `{ data, error }`: keys, OpenAPI. */
export interface Document {
  readonly document: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface RouteDefinition<Of extends Access, Query, Body, Data> {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** As in OpenAPI: `{id}` is an intent's; others are in `PATH_PATTERNS`. */
  readonly path: `/${string}`
  readonly access: Of
  /** One of these is needed besides being signed in. */
  readonly roles?: readonly Role[] | undefined
  readonly summary: string
  readonly query?: z.ZodType<Query> | undefined
  readonly body?: z.ZodType<Body> | undefined
  /** Reads the body instead of `body`, which then only describes it. */
  readonly readBody?: ((json: Parameters<typeof parseInput>[1]) => Body) | undefined
  /** A body may be left out. */
  readonly bodyOptional?: boolean | undefined
  readonly data: z.ZodType<Data>
  /** Members beside `data`. */
  readonly beside?: z.ZodRawShape | undefined
  /** @default 200 */
  readonly status?: 200 | 201 | undefined
  /** `text/event-stream`: events carry what the route's `data` says. */
  readonly stream?: boolean | undefined
  /** Of a document that is no JSON. @default 'application/json' */
  readonly media?: string | undefined
  /** Besides those that every route of its access has. */
  readonly errors?: readonly ErrorCode[] | undefined
  /** Of every answer to somebody who is known, also of a refusal. */
  readonly everyAnswer?: (() => Readonly<Record<string, string>>) | undefined
  handle(request: GateRequest<Of, Query, Body>): Promise<Result<Data> | Held | Document> | Result<Data> | Document
}

/** What the app hands to a route; `who` is what its access demands. */
export interface RawRequest {
  readonly who: SignedKey | SignedIn | undefined
  /** By the names in the path of the route. */
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly json: Readonly<Record<string, unknown>>
  readonly retry: TransportRetry | undefined
  readonly connection: Connection
}

/** An entry of the table. */
export interface Route extends Omit<RouteDefinition<Access, unknown, unknown, unknown>, 'handle' | 'readBody'> {
  answer(request: RawRequest): Promise<Result<unknown> | Held | Document>
}

export function route<Of extends Access, Query = Record<never, never>, Body = undefined, Data = unknown>(
  definition: RouteDefinition<Of, Query, Body, Data>,
): Route {
  const { handle, readBody, query = noQuery, body, ...described } = definition
  return {
    ...described,
    query: definition.query,
    body,
    async answer({ who, path, query: given, json, retry, connection }) {
      return handle({
        // The app authenticates by the access of this very entry.
        who: who as WhoByAccess[Of],
        intentId: intentIdOf(path.id),
        path,
        query: parseInput(query as z.ZodType<Query>, given),
        body: readBody ? readBody(json) : body ? parseInput(body, json) : (undefined as Body),
        retry,
        connection,
      })
    },
  }
}

/** Of what can stand in a path, for the document of the API. */
export const PATH_PATTERNS: Readonly<Record<string, string>> = {
  leaf: '^(leaf_[0-9a-z]{1,64}|[0-9]{1,15})$',
  id: '^int_[0-9a-z]{1,64}$',
  agent: '^agt_[0-9a-z]{1,64}$',
  key: '^key_[0-9a-z]{1,64}$',
  person: '^usr_[0-9a-z]{1,64}$',
  group: '^[^@]{1,128}$',
}

/** What no id of ours looks like is not found, without asking the store. @throws SilentAuthError `NOT_FOUND` */
export function pathId<Prefix extends string>(
  path: Readonly<Record<string, string>>,
  name: string,
  prefix: Prefix,
): `${Prefix}_${string}` {
  const id = path[name] ?? ''
  if (!/^[a-z]+_[0-9a-z]{1,64}$/.test(id) || !id.startsWith(`${prefix}_`)) {
    throw new SilentAuthError('NOT_FOUND', `the path names no ${name}`)
  }
  return id as `${Prefix}_${string}`
}

const INTENT_ID = /^int_[0-9a-z]{1,64}$/

/** @param id undefined where the path has none; then nobody reads the result */
function intentIdOf(id: string | undefined): IntentId {
  if (id === undefined) return 'int_'
  if (!INTENT_ID.test(id)) throw new SilentAuthError('NOT_FOUND', 'the path names no intent')
  return id as IntentId
}
