/**
 * The JSON body of a web `Request`, read once and strictly, with a copy of the request for whoever reads it next.
 *
 * @module
 */
import { parseStrictJson, SilentAuthError } from '@silentauth/core'
import { cappedText } from './capped-text.js'

/** Larger than the largest params. */
export const MAX_BODY_BYTES = 262_144

/**
 * `body` is undefined, and the request untouched, unless its content type is JSON.
 *
 * @throws SilentAuthError `TOO_LARGE`; `INVALID_FIELD` for what is not JSON, or has duplicate or escaped member names
 */
export async function jsonBody(
  request: Request,
  maxBytes: number = MAX_BODY_BYTES,
): Promise<{ readonly body: unknown; readonly request: Request }> {
  if (request.body === null || !JSON_TYPE.test(request.headers.get('content-type') ?? '')) {
    return { body: undefined, request }
  }
  const tooLarge = () => new SilentAuthError('TOO_LARGE', `a body has at most ${maxBytes} bytes`)
  let text: string
  try {
    text = await cappedText(request.body, maxBytes, tooLarge)
  } catch (error) {
    if (error instanceof TypeError) throw new SilentAuthError('INVALID_FIELD', 'the body cannot be read as UTF-8')
    throw error
  }
  return { body: parseStrictJson(text), request: new Request(request, { body: text }) }
}

const JSON_TYPE = /^application\/(?:[a-z0-9.+-]+\+)?json(?:\s*;|\s*$)/i
