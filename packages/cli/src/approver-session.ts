/**
 * An approver's session in the terminal: what `silentauth login` keeps, and how the inbox is asked with it.
 *
 * @module
 */
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ERROR_STATUS, type ErrorCode, type JsonObject, SilentAuthError } from '@silentauth/core'
import { z } from 'zod'

const sessionForm = z.object({
  url: z.url(),
  cookie: z.string().min(1),
  session: z.string().min(1),
  expires_at: z.string(),
})
export type ApproverSession = z.infer<typeof sessionForm>

/** Of a request that takes longer, nobody knows whether it was done. */
const REQUEST_TIMEOUT_MS = 30_000

function sessionFile(): string {
  return path.join(process.env.SILENTAUTH_DATA ?? '.silentauth', 'approver-session.json')
}

/** @throws SilentAuthError `UNAUTHORIZED` when nobody signed in here, or the file is open to others */
export async function readSession(): Promise<ApproverSession> {
  const file = sessionFile()
  let text: string
  try {
    if (process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0) {
      throw new SilentAuthError('UNAUTHORIZED', `${file} can be read by others: delete it and sign in again`)
    }
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if (cause instanceof SilentAuthError) throw cause
    throw new SilentAuthError('UNAUTHORIZED', 'nobody is signed in here: run `silentauth login <sign-in-url>`', {
      cause,
    })
  }
  const parsed = sessionForm.safeParse(jsonOf(text))
  if (!parsed.success) throw new SilentAuthError('UNAUTHORIZED', `${file} is damaged: sign in again`)
  const url = process.env.SILENTAUTH_URL ?? parsed.data.url
  // A session's secret goes to the gate that gave it, whatever the environment says.
  if (new URL(url).origin !== new URL(parsed.data.url).origin) {
    throw new SilentAuthError('UNAUTHORIZED', 'SILENTAUTH_URL names another gate than the one signed in to')
  }
  return parsed.data
}

/** Undefined for what is none: a parser's own message quotes the text, and this one is a secret. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export async function writeSession(session: ApproverSession): Promise<void> {
  const file = sessionFile()
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(file, `${JSON.stringify(session)}\n`, { mode: 0o600 })
  await chmod(file, 0o600)
}

export async function forgetSession(): Promise<void> {
  await rm(sessionFile(), { force: true })
}

/** One request with the session; the answer's `data`. @throws SilentAuthError with the gate's code */
export async function ask(
  session: Pick<ApproverSession, 'url'> & Partial<ApproverSession>,
  route: string,
  body?: JsonObject,
): Promise<{ data: unknown; headers: Headers }> {
  const response = await request(session, route, body)
  const answer = answerForm.safeParse(await response.json().catch(() => undefined))
  if (!answer.success) throw new SilentAuthError('GATE_UNAVAILABLE', `${session.url} answered with something else`)
  if (answer.data.error) throw refusal(answer.data.error)
  return { data: answer.data.data, headers: response.headers }
}

/** As `ask`, for a route whose answer is a file: its bytes as they come, however long that takes. @throws SilentAuthError */
export async function askFile(session: ApproverSession, route: string): Promise<Response> {
  const response = await request(session, route, undefined, null)
  if (response.ok) return response
  const answer = answerForm.safeParse(await response.json().catch(() => undefined))
  if (!answer.success || !answer.data.error) {
    throw new SilentAuthError('GATE_UNAVAILABLE', `${session.url} answered with something else`)
  }
  throw refusal(answer.data.error)
}

const answerForm = z.object({
  data: z.unknown(),
  error: z.nullable(z.object({ code: z.string(), message: z.string() })),
})

async function request(
  { url, cookie, session }: Pick<ApproverSession, 'url'> & Partial<ApproverSession>,
  route: string,
  body: JsonObject | undefined,
  signal: AbortSignal | null = AbortSignal.timeout(REQUEST_TIMEOUT_MS),
): Promise<Response> {
  try {
    return await fetch(new URL(route, url), {
      method: body ? 'POST' : 'GET',
      headers: {
        ...(body && { 'content-type': 'application/json' }),
        ...(cookie && { cookie }),
        ...(session && { 'x-sa-session': session }),
      },
      ...(body && { body: JSON.stringify(body) }),
      redirect: 'error',
      signal,
    })
  } catch (cause) {
    throw new SilentAuthError('GATE_UNAVAILABLE', `${new URL(url).origin} cannot be reached`, { cause })
  }
}

function refusal({ code, message }: { code: string; message: string }): SilentAuthError {
  return Object.hasOwn(ERROR_STATUS, code)
    ? new SilentAuthError(code as ErrorCode, message)
    : new SilentAuthError('GATE_UNAVAILABLE', 'the gate answered with an unknown code')
}
