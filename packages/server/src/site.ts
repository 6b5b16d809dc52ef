/**
 * The site is where people meet the gate: its public URL, the hosts that it answers to, and its cookie. A request of a
 * signed-in person must come from its own pages, or from no page at all.
 *
 * @module
 */
import { SilentAuthError } from '@silentauth/core'

export interface Site {
  /** Without a slash at its end. */
  readonly publicUrl: string
  /** Host header → the origin of the pages that it serves. */
  readonly originByHost: ReadonlyMap<string, string>
  readonly secure: boolean
  readonly cookieName: string
}

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]']

/**
 * @param hosts further Host headers that a proxy in front sends
 * @throws TypeError when the URL is none, has a path, or is http on a host that others can reach
 */
export function siteOf(publicUrl: string, hosts: readonly string[] = []): Site {
  const url = URL.parse(publicUrl)
  const plain = url && url.pathname === '/' && !url.search && !url.hash && !url.username && !url.password
  if (!plain || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new TypeError('the public URL must be an http(s) URL without path, query or user')
  }
  const secure = url.protocol === 'https:'
  const loopback = LOOPBACK.includes(url.hostname)
  // Over plain http anybody on the way reads the session and sends a vote of their own.
  if (!secure && !loopback) throw new TypeError('the public URL must be https: http is for 127.0.0.1 and [::1] only')
  const own = loopback ? LOOPBACK.map((name) => hostOf(`${url.protocol}//${name}:${url.port}`)) : [url.host]
  return {
    publicUrl: url.origin,
    originByHost: new Map(
      [...own, ...hosts.map((host) => host.toLowerCase())].map((host) => [host, `${url.protocol}//${host}`]),
    ),
    secure,
    // A cookie reaches every port of a host: without the port in its name, two gates would sign each other's people out.
    cookieName: secure ? '__Host-sa_session' : `sa_session_${url.port || '80'}`,
  }
}

/**
 * Absent headers pass (a client that is no browser sends none), present ones must say that the request comes from a page
 * of this very origin. An unknown Host is a name that somebody pointed at this address (DNS rebinding).
 *
 * @throws SilentAuthError `FORBIDDEN`
 */
export function requireSameSite(site: Site, headers: Headers, url: string): void {
  const host = (headers.get('host') ?? new URL(url).host).toLowerCase()
  const origin = site.originByHost.get(host)
  if (origin === undefined) throw new SilentAuthError('FORBIDDEN', 'Host is none of this gate', { field: 'Host' })
  const from = headers.get('origin')
  if (from !== null && from !== origin) {
    throw new SilentAuthError('FORBIDDEN', 'Origin is another site', { field: 'Origin' })
  }
  const fetchSite = headers.get('sec-fetch-site')
  if (fetchSite !== null && fetchSite !== 'same-origin') {
    throw new SilentAuthError('FORBIDDEN', 'Sec-Fetch-Site is not same-origin', { field: 'Sec-Fetch-Site' })
  }
}

function hostOf(url: string): string {
  return new URL(url).host
}
