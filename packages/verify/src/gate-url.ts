/**
 * Addresses of a gate: https, or http to this machine alone.
 *
 * @module
 */

/**
 * The address, checked. `http:` goes only to 127.0.0.1 and [::1], never to a name: names can be made to lead elsewhere.
 *
 * @param name of the option that it came from, for the message; the address itself is never in it
 * @throws TypeError
 */
export function gateUrl(address: string | URL, name: string): URL {
  let url: URL
  try {
    url = new URL(address)
  } catch {
    throw new TypeError(`${name} is not an absolute URL`)
  }
  if (url.protocol !== 'https:' && !isLoopback(url)) {
    throw new TypeError(`${name} must be https (http is accepted only for 127.0.0.1 and [::1])`)
  }
  if (url.username !== '' || url.password !== '') throw new TypeError(`${name} must not hold credentials`)
  return url
}

/** A gate on this machine over plain http: whoever binds the port first answers there. */
export function isLoopback(url: URL): boolean {
  return url.protocol === 'http:' && (url.hostname === '127.0.0.1' || url.hostname === '[::1]')
}

/** `path` below the address of a gate, which may itself have a path. */
export function below(gate: URL, path: `/${string}`): string {
  return `${gate.origin}${gate.pathname.replace(/\/+$/, '')}${path}`
}
