/**
 * `silentauth login`: from the sign-in link that a gate printed to a session kept for this user alone.
 *
 * @module
 */
import { SilentAuthError } from '@silentauth/core'
import { z } from 'zod'
import { ask, forgetSession, readSession, writeSession } from './approver-session.js'
import { printable } from './printable.js'

const signedInForm = z.object({ session: z.string(), expires_at: z.string() })

export async function login(signInUrl: string): Promise<number> {
  const { origin, token } = parseSignInUrl(signInUrl)
  // Votes from here count as `cli`, the weaker channel: what a terminal shows is easier to fake than the review page.
  const { data, headers } = await ask({ url: origin }, '/api/session', { token, client: 'cli' })
  const { session, expires_at } = signedInForm.parse(data)
  const cookie = headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ')
  if (cookie === '') throw new SilentAuthError('GATE_UNAVAILABLE', 'the gate gave no session cookie')
  await writeSession({ url: origin, cookie, session, expires_at })
  console.error(`Signed in to ${printable(origin)} until ${printable(expires_at)}.`)
  return 0
}

/** Ends the session at the gate too, so that a copy of the file is worth nothing. */
export async function logout(): Promise<number> {
  const session = await readSession().catch(() => undefined)
  await forgetSession()
  if (session) {
    await fetch(new URL('/api/session', session.url), {
      method: 'DELETE',
      headers: { cookie: session.cookie, 'x-sa-session': session.session },
      redirect: 'error',
      signal: AbortSignal.timeout(10_000),
    }).catch(() => undefined)
  }
  console.error('Signed out.')
  return 0
}

/** The token is in the fragment, which no server and no log ever sees. */
function parseSignInUrl(text: string): { origin: string; token: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const token = url && new URLSearchParams(url.hash.slice(1)).get('token')
  if (!url || !token) throw new TypeError('login takes the whole sign-in link: http…/sign-in#token=…')
  const loopback = url.hostname === '127.0.0.1' || url.hostname === '[::1]'
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback)) {
    throw new TypeError('a gate is reached over https, or over http on 127.0.0.1')
  }
  return { origin: url.origin, token }
}
