/**
 * Input: what a request says, read strictly. What is wrong is named by its place and never quoted, because a body can hold
 * params and secrets.
 *
 * @module
 */
import { type JsonObject, parseStrictJson, SilentAuthError } from '@silentauth/core'
import type { z } from 'zod'

export interface Body {
  readonly json: JsonObject
  /** As it came, for `Idempotency-Key`. */
  readonly text: string
}

/** Params are at most 64 KB by default and 256 KB by configuration; a body holds them and what is said about them. */
export const MAX_BODY_BYTES = 256 * 1024

/**
 * The JSON object in a body.
 *
 * @param optional an absent body is `{}`
 * @throws SilentAuthError `UNSUPPORTED_MEDIA_TYPE`, `TOO_LARGE`, `INVALID_FIELD` for malformed JSON, duplicate or escaped member
 * names, U+0000 and lone surrogates (`PARAMS_NOT_CANONICAL` within `parameters`)
 */
export async function readBody(request: Request, { optional = false } = {}): Promise<Body> {
  const type = request.headers.get('content-type')
  if (optional && type === null && (await readBytes(request, MAX_BODY_BYTES)).length === 0)
    return { json: {}, text: '' }
  // Demanded also because a page of another site can only send forms and plain text without being asked first.
  if (type === null || !/^application\/json *(;|$)/i.test(type)) {
    throw new SilentAuthError('UNSUPPORTED_MEDIA_TYPE', 'the body must be application/json')
  }
  const text = decode(await readBytes(request, MAX_BODY_BYTES))
  const json = parseStrictJson(text)
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new SilentAuthError('INVALID_FIELD', 'the body must be a JSON object', { field: '' })
  }
  // Raw control characters are no JSON, and the decoder takes no half of a pair: only an escape can bring one in.
  if (text.includes('\\u')) requireStorable(json, '')
  return { json: json as JsonObject, text }
}

/**
 * Reads one strict form.
 *
 * @throws SilentAuthError `MISSING_FIELDS`, `INVALID_FIELD`, naming members as they are spelled
 */
export function parseInput<Form>(form: z.ZodType<Form>, input: Readonly<Record<string, unknown>>): Form {
  const parsed = form.safeParse(input)
  if (parsed.success) return parsed.data
  throw inputError(input, parsed.error)
}

/** The query as an object. @throws SilentAuthError `INVALID_FIELD` for a name that occurs twice */
export function queryOf(url: string): Record<string, string> {
  const query: Record<string, string> = Object.create(null)
  for (const [name, value] of new URL(url).searchParams) {
    if (name in query) throw invalid(plainName(name), 'occurs twice')
    if (!isStorable(value)) throw invalid(plainName(name), 'holds U+0000 or a lone surrogate')
    query[name] = value
  }
  return { ...query }
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const declared = Number(request.headers.get('content-length') ?? 0)
  if (declared > maxBytes) throw tooLarge()
  // Over HTTP a declared length holds, so that nothing needs to be counted. Before `body`, which makes a stream of what came.
  if (request.headers.has('content-length') && !request.headers.has('transfer-encoding')) {
    const bytes = new Uint8Array(await request.arrayBuffer())
    if (bytes.length > maxBytes) throw tooLarge()
    return bytes
  }
  if (request.body === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tooLarge(): SilentAuthError {
  return new SilentAuthError('TOO_LARGE', `a body has at most ${MAX_BODY_BYTES} bytes`)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw invalid('the body', 'is not UTF-8')
  }
}

/** PostgreSQL refuses U+0000, and every store turns half a surrogate pair into U+FFFD: then a digest says something else. */
function requireStorable(value: unknown, at: string): void {
  if (typeof value === 'string') {
    if (isStorable(value)) return
    const code = at.startsWith('/parameters') ? 'PARAMS_NOT_CANONICAL' : 'INVALID_FIELD'
    throw new SilentAuthError(code, `${at}: holds U+0000 or a lone surrogate`, { field: at })
  }
  if (typeof value !== 'object' || value === null) return
  // Member names with an escape were refused before, so a name cannot hold either.
  for (const [name, inner] of Object.entries(value)) requireStorable(inner, `${at}/${pointerStep(name)}`)
}

function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

function pointerStep(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

function inputError(input: Readonly<Record<string, unknown>>, error: z.ZodError): SilentAuthError {
  const missing = error.issues.filter(({ path }) => path.length === 1 && input[String(path[0])] === undefined)
  if (missing.length > 0) {
    const names = [...new Set(missing.map(({ path }) => String(path[0])))]
    return new SilentAuthError('MISSING_FIELDS', `missing: ${names.join(', ')}`, { field: names[0] ?? '' })
  }
  const [issue] = error.issues
  const at = (issue?.path ?? []).map(String)
  if (issue?.code === 'unrecognized_keys') {
    return invalid([...at, plainName(issue.keys[0] ?? '')].join('.'), 'is not a member')
  }
  return invalid(at.join('.') || 'the body', reasonOf(issue))
}

function invalid(field: string, reason: string): SilentAuthError {
  return new SilentAuthError('INVALID_FIELD', `${field} ${reason}`, { field })
}

/** A name that a client chose, short enough to be repeated. */
function plainName(name: string): string {
  return name.length > 64 ? `${name.slice(0, 64)}…` : name
}

/** zod's own messages can quote the input; only those that are written here are passed on. */
function reasonOf(issue: z.core.$ZodIssue | undefined): string {
  switch (issue?.code) {
    case 'custom':
    case 'invalid_format':
      return issue.message
    case 'too_big':
    case 'too_small':
      return 'is out of range'
    default:
      return 'has the wrong type or is none of the allowed values'
  }
}
