/**
 * Static files: the dashboard's build, read into memory once. A request names an entry of this map or nothing, so no path
 * of a request ever reaches the file system.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export interface StaticFiles {
  /** The file of a path, or the page for the paths that the page draws itself; undefined: nothing is there. */
  find(pathname: string): StaticFile | undefined
}

export interface StaticFile {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly headers: Readonly<Record<string, string>>
}

/** Nothing but the gate's own files runs, loads or is asked; no other page can frame or hold this one. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; " +
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** Paths that the one page draws by itself. */
const PAGES = /^\/(?:sign-in|inbox(?:\/[^/]*)?)?$/

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}

/** Where the build is: beside this file once packed, in the sibling package when running from sources. */
export function defaultDashboardDir(): string | undefined {
  return ['./dashboard/', '../../dashboard/dist/']
    .map((place) => fileURLToPath(new URL(place, import.meta.url)))
    .find((folder) => existsSync(path.join(folder, 'index.html')))
}

/** @param folder undefined: there is no dashboard */
export function staticFiles(folder: string | undefined): StaticFiles {
  const files = new Map<string, StaticFile>()
  for (const entry of folder ? readdirSync(folder, { recursive: true, withFileTypes: true }) : []) {
    if (!entry.isFile()) continue
    const file = path.join(entry.parentPath, entry.name)
    const pathname = `/${path
      .relative(folder as string, file)
      .split(path.sep)
      .join('/')}`
    files.set(pathname, { bytes: new Uint8Array(readFileSync(file)), headers: headersOf(pathname) })
  }
  const page = files.get('/index.html')
  return { find: (pathname) => files.get(pathname) ?? (PAGES.test(pathname) ? page : undefined) }
}

/** Vite puts what carries a hash in its name under `assets`. */
function headersOf(pathname: string): Readonly<Record<string, string>> {
  return {
    ...PAGE_HEADERS,
    'content-type': TYPES[path.extname(pathname)] ?? 'application/octet-stream',
    'cache-control': pathname.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-store',
  }
}
