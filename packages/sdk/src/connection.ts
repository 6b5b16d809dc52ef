/**
 * The connection to a gate: where it is, who we are there, and the keys by which its permits are known. From options, else
 * from the environment, else from what `silentauth dev` left in its data folder.
 *
 * @module
 */
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { ProjectId } from '@silentauth/core'
import type { KeysFrom } from '@silentauth/verify'
import { below, gateUrl, isLoopback } from '@silentauth/verify/gate-http'

export interface ConnectionOptions {
  /** @default SILENTAUTH_PROJECT_ID, else the embedded gate's */
  readonly projectId?: string | undefined
  /** `sk_…`. @default SILENTAUTH_SECRET_KEY, else the embedded gate's */
  readonly secretKey?: string | undefined
  /** https, or http to 127.0.0.1 or [::1]. @default SILENTAUTH_URL, else the embedded gate's */
  readonly baseUrl?: string | URL | undefined
  /** Of an embedded gate: `dev.json` (read when no secret key is given) and `public.jwks.json`. @default SILENTAUTH_DATA, else './.silentauth' */
  readonly dataFolder?: string | undefined
  /** `iss` of the gate's permits. @default the embedded gate's, else `baseUrl` without a slash at its end */
  readonly issuer?: string | undefined
  /**
   * A key set, the path of a `public.jwks.json`, or the URL of one. @default the embedded gate's file, else the gate's
   * `/.well-known/jwks.json`; never fetched over http, from a port that anybody could have bound
   */
  readonly keys?: KeysFrom | undefined
  /** `hs256`: the project shares a secret with its backends, and this side cannot verify permits by itself. @default 'v1' */
  readonly profile?: 'v1' | 'hs256' | undefined
}

export interface Connection {
  readonly gate: URL
  readonly projectId: ProjectId
  readonly secretKey: string
  /** Undefined when permits cannot be verified here. */
  readonly trust: { readonly issuer: string; readonly keys: KeysFrom } | undefined
  readonly profile: 'v1' | 'hs256'
}

/** @throws TypeError that names what is missing, wrong, or open to others; never with a key in it */
export function connectionOf(
  options: ConnectionOptions,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Connection {
  // A folder that is named in the code is meant, whatever the environment says.
  const fromEnv = (name: string): string | undefined =>
    options.dataFolder === undefined ? env[`SILENTAUTH_${name}`] || env[`SA_${name}`] || undefined : undefined
  const given = {
    projectId: options.projectId ?? fromEnv('PROJECT_ID'),
    secretKey: options.secretKey ?? fromEnv('SECRET_KEY'),
    baseUrl: options.baseUrl ?? fromEnv('URL'),
  }
  const folder = path.resolve(options.dataFolder ?? (env.SILENTAUTH_DATA || '.silentauth'))
  const embedded = embeddedGate(folder, given)
  const { projectId, secretKey, baseUrl } = given.secretKey === undefined ? { ...embedded, ...defined(given) } : given
  for (const [name, value] of Object.entries({ secretKey, projectId, baseUrl })) {
    if (value === undefined) throw new TypeError(missing(name, folder))
  }
  if (typeof secretKey !== 'string' || !/^[\x21-\x7e]{1,512}$/.test(secretKey)) {
    throw new TypeError('secretKey is not a key of a project')
  }
  const gate = gateUrl(baseUrl as string | URL, 'baseUrl')
  const profile = options.profile ?? 'v1'
  const trust = profile === 'hs256' ? undefined : trustOf(options, gate, embedded)
  return { gate, projectId: projectId as ProjectId, secretKey, trust, profile }
}

interface EmbeddedGate {
  readonly baseUrl: string
  readonly issuer: string
  readonly projectId: string
  readonly secretKey: string
  /** Undefined when the gate keeps none: an hs256 project. */
  readonly keysFile: string | undefined
}

/** `dev.json`, if there is one and it is of the gate that is meant. */
function embeddedGate(
  folder: string,
  given: { projectId?: string | undefined; secretKey?: string | undefined; baseUrl?: string | URL | undefined },
): EmbeddedGate | undefined {
  // Neither needed nor asked for: what lies in the working directory is no business of a client that was told everything.
  if (
    given.secretKey !== undefined &&
    !(given.baseUrl !== undefined && isLoopback(gateUrl(given.baseUrl, 'baseUrl')))
  ) {
    return undefined
  }
  const text = readOwn(path.join(folder, 'dev.json'), 0o077)
  if (text === undefined) return undefined
  const { url, issuer, project_id: projectId, secret_key: secretKey } = parse(text, folder)
  const sameGate = given.baseUrl === undefined || new URL(given.baseUrl).href === new URL(url).href
  const sameProject = given.projectId === undefined || given.projectId === projectId
  if (!sameGate || !sameProject) return undefined
  const keysFile = path.join(folder, 'public.jwks.json')
  const hasKeys = readOwn(keysFile, 0o022) !== undefined
  return { baseUrl: url, issuer, projectId, secretKey, keysFile: hasKeys ? keysFile : undefined }
}

function trustOf(options: ConnectionOptions, gate: URL, embedded: EmbeddedGate | undefined): Connection['trust'] {
  const published = isLoopback(gate) ? undefined : below(gate, '/.well-known/jwks.json')
  const keys = options.keys ?? embedded?.keysFile ?? published
  const issuer = options.issuer ?? embedded?.issuer ?? (published && gate.href.replace(/\/+$/, ''))
  if (options.keys !== undefined && issuer === undefined) {
    throw new TypeError(
      'issuer is required beside keys: a gate on this machine has an issuer of its own, see its dev.json',
    )
  }
  return keys === undefined || issuer === undefined ? undefined : { issuer, keys }
}

/**
 * The text of a file that is nobody else's to write (and, for `dev.json`, to read).
 *
 * @param forbidden permission bits that must not be set
 */
function readOwn(file: string, forbidden: number): string | undefined {
  if (!existsSync(file)) return undefined
  // Looks at the very file that it reads, and follows no link.
  const descriptor = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  try {
    const { mode, uid } = fstatSync(descriptor)
    const own = process.getuid?.()
    if (own !== undefined && (mode & forbidden) !== 0)
      throw new TypeError(`${file} is open to others: chmod 600, or delete it`)
    if (own !== undefined && uid !== own) throw new TypeError(`${file} belongs to another user`)
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

function parse(text: string, folder: string): Record<'url' | 'issuer' | 'project_id' | 'secret_key', string> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Without the cause: a parser's message quotes the text, and this one holds a key.
  }
  const members = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const { url, issuer, project_id, secret_key } = members
  if ([url, issuer, project_id, secret_key].some((member) => typeof member !== 'string')) {
    throw new TypeError(
      `${path.join(folder, 'dev.json')} is not what silentauth dev writes: delete it and start it again`,
    )
  }
  return { url, issuer, project_id, secret_key } as Record<'url' | 'issuer' | 'project_id' | 'secret_key', string>
}

const ENV_NAMES: Readonly<Record<string, string>> = { secretKey: 'SECRET_KEY', projectId: 'PROJECT_ID', baseUrl: 'URL' }

function missing(name: string, folder: string): string {
  return (
    `SilentAuth needs ${name}: pass it, or set SILENTAUTH_${ENV_NAMES[name]}; ` +
    `or start a gate with \`npx silentauth dev\` (there is no ${path.join(folder, 'dev.json')} of it)`
  )
}

function defined<Members extends object>(members: Members): Partial<Members> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<Members>
}
