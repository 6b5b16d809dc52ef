/**
 * Two anchors: a file that is only appended to, and a URL that checkpoints are posted to.
 *
 * @module
 */
import { mkdir, open } from 'node:fs/promises'
import path from 'node:path'
import type { Anchor } from '@silentauth/core'

/** One line of JSON per checkpoint, on the disk when it is taken. Made with 0600; for more, let the system refuse anything but appending. */
export function fileAnchor(file: string, { now = Date.now }: { readonly now?: () => number } = {}): Anchor {
  return {
    name: `file ${path.basename(file)}`,
    async put(checkpoint) {
      await mkdir(path.dirname(path.resolve(file)), { recursive: true, mode: 0o700 })
      const handle = await open(file, 'a', 0o600)
      try {
        await handle.appendFile(`${JSON.stringify({ at: new Date(now()).toISOString(), checkpoint })}\n`)
        await handle.sync()
      } finally {
        await handle.close()
      }
    },
  }
}

/**
 * Posts `{ "checkpoint": "…" }`; taken is what is answered with 2xx. A redirect is a failure.
 *
 * @throws TypeError for a URL that is neither https nor http on a loopback address
 */
export function webhookAnchor(
  url: string,
  { fetch = globalThis.fetch }: { readonly fetch?: typeof globalThis.fetch } = {},
): Anchor {
  const { protocol, hostname, host } = new URL(url)
  const loopback = protocol === 'http:' && (hostname === '127.0.0.1' || hostname === '[::1]')
  if (protocol !== 'https:' && !loopback) throw new TypeError('an anchor is posted to over https')
  return {
    name: `webhook ${host}`,
    async put(checkpoint, { signal }) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ checkpoint }),
        redirect: 'error',
        signal,
      })
      await response.body?.cancel()
      if (!response.ok) throw new Error(`the anchor at ${host} answered ${response.status}`)
    },
  }
}
