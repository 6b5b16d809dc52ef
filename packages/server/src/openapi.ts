/**
 * The OpenAPI 3.1 document, made from the route table.
 *
 * @module
 */
import { ERROR_STATUS, type ErrorCode } from '@silentauth/core'
import { z } from 'zod'
import type { Access } from './credential.js'
import { PATH_PATTERNS, type Route } from './route-table.js'

type Schema = Readonly<Record<string, unknown>>

/** Codes that every route of an access can answer with. */
export const COMMON_ERRORS: Readonly<Record<Access, readonly ErrorCode[]>> = {
  open: [],
  'sign-in': ['FORBIDDEN'],
  agent: ['UNAUTHORIZED', 'FORBIDDEN', 'NOT_FOUND'],
  key: ['UNAUTHORIZED', 'FORBIDDEN', 'NOT_FOUND'],
  person: ['UNAUTHORIZED', 'FORBIDDEN'],
}
/** Codes that reading a body can answer with. */
export const BODY_ERRORS: readonly ErrorCode[] = [
  'MISSING_FIELDS',
  'INVALID_FIELD',
  'UNSUPPORTED_MEDIA_TYPE',
  'TOO_LARGE',
  'IDEMPOTENCY_MISMATCH',
]

const SECURITY: Readonly<Record<Access, readonly Schema[]>> = {
  open: [],
  'sign-in': [],
  agent: [{ projectKey: [] }],
  key: [{ projectKey: [] }],
  person: [{ sessionCookie: [], sessionSecret: [] }],
}

export function openApiDocument(routes: readonly Route[], options: { cookieName: string; version: string }): Schema {
  const schemas: Record<string, unknown> = { Error: ERROR_SCHEMA }
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const operation = operationOf(route, schemas)
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'SilentAuth Execution Gates',
      version: options.version,
      description: 'Declare an intent, wait for its decision, execute only with a permit.',
    },
    paths,
    components: {
      schemas,
      securitySchemes: {
        projectKey: { type: 'http', scheme: 'bearer', description: 'A project key: `sk_…`.' },
        sessionCookie: { type: 'apiKey', in: 'cookie', name: options.cookieName },
        sessionSecret: { type: 'apiKey', in: 'header', name: 'x-sa-session' },
      },
    },
  }
}

/** Every code that a route names, in the order of the table of codes. */
export function errorsOf({ access, errors = [], body }: Route): readonly ErrorCode[] {
  const named = new Set<ErrorCode>([
    ...COMMON_ERRORS[access],
    ...(body ? BODY_ERRORS : ['INVALID_FIELD' as const]),
    ...errors,
  ])
  return (Object.keys(ERROR_STATUS) as ErrorCode[]).filter((code) => named.has(code))
}

function operationOf(route: Route, schemas: Record<string, unknown>): Schema {
  const name = operationId(route)
  const { body } = route
  return {
    operationId: name,
    summary: route.summary,
    security: SECURITY[route.access],
    parameters: [...pathParameters(route), ...queryParameters(route), ...(body ? [IDEMPOTENCY_KEY] : [])],
    ...(body && {
      requestBody: {
        required: !route.bodyOptional,
        content: { 'application/json': { schema: hoisted(body, `${name}Body`, 'input', schemas) } },
      },
    }),
    responses: responsesOf(route, name, schemas),
  }
}

function responsesOf(route: Route, name: string, schemas: Record<string, unknown>): Schema {
  const { status = 200, data, beside = {}, stream, media = stream ? 'text/event-stream' : 'application/json' } = route
  const isDocument = data instanceof z.ZodUnknown
  const whole = isDocument ? data : z.strictObject({ data, error: z.null(), ...beside })
  const schema = hoisted(whole, `${name}Answer`, 'input', schemas)
  const content = { [media]: { schema } }
  const good = { description: stream ? 'Events; the data of each is this JSON.' : 'Done.', content }
  const refusals = Map.groupBy(errorsOf(route), (code) => ERROR_STATUS[code] ?? 503)
  return {
    [status]: good,
    // The repeat of an idempotent request.
    ...(status === 201 && { 200: { ...good, description: 'A repeated one, as it is now.' } }),
    ...Object.fromEntries(
      [...refusals].map(([code, codes]) => [
        code,
        {
          description: codes.map((each) => `\`${each}\``).join(', '),
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
        },
      ]),
    ),
  }
}

function pathParameters({ path }: Route): readonly Schema[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', pattern: PATH_PATTERNS[name] },
  }))
}

function queryParameters({ query }: Route): readonly Schema[] {
  if (query === undefined) return []
  const { properties = {} } = z.toJSONSchema(query, { target: 'draft-2020-12', io: 'input' })
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: false, schema }))
}

const IDEMPOTENCY_KEY: Schema = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Protects one transport retry for 24 hours: the same body has one effect, another is refused.',
  schema: { type: 'string', maxLength: 255 },
}

const ERROR_SCHEMA: Schema = z.toJSONSchema(
  z.strictObject({
    data: z.null(),
    error: z.strictObject({ code: z.string(), message: z.string(), hint: z.string() }),
  }),
  { target: 'draft-2020-12' },
)

/**
 * zod writes what recurs to `#/$defs/…`, which inside this document would point at the document's root: it moves to the
 * components, under a name of its own.
 */
function hoisted(schema: z.ZodType, prefix: string, io: 'input' | 'output', schemas: Record<string, unknown>): unknown {
  const { $schema: _, $defs = {}, ...whole } = z.toJSONSchema(schema, { target: 'draft-2020-12', io })
  const renamed = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (member, inner: unknown) =>
      member === '$ref' && typeof inner === 'string'
        ? inner.replace('#/$defs/', `#/components/schemas/${prefix}`)
        : inner,
    )
  for (const [name, definition] of Object.entries($defs)) schemas[prefix + name] = renamed(definition)
  return renamed(whole)
}

function operationId({ method, path }: Route): string {
  const words = path.replaceAll(/[{}]/g, '').split(/[^a-z0-9]+/i)
  return [method.toLowerCase(), ...words.filter(Boolean).map((word) => word[0]?.toUpperCase() + word.slice(1))].join('')
}
