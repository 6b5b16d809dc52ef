/**
 * `silentauth verify`: checks a permit as a backend would, offline, and says which check failed.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { defaultAudience, keyRing, parseStrictJson, SilentAuthError, verifyPermit } from '@silentauth/core'
import { z } from 'zod'
import { jsonOf } from './approver-session.js'
import { readBoundedText } from './bounded-file.js'

export interface VerifyCommandOptions {
  readonly action: string
  readonly params: string
  readonly project?: string
  readonly audience?: string
  readonly issuer?: string
  readonly jwks?: string
  readonly data: string
}

const gateForm = z.object({ issuer: z.string(), project_id: z.string() })
const jwksForm = z.object({ keys: z.array(z.unknown()) })
const MAX_JWKS_BYTES = 64 * 1024
/** Params themselves are at most 64 KB, however they are spelled. */
const MAX_PARAMS_BYTES = 1024 * 1024

export async function verify(permit: string, options: VerifyCommandOptions): Promise<number> {
  const token = (permit === '-' ? await text(process.stdin) : permit).trim()
  const params = await readParams(options.params)
  const { issuer, project } = await gateOf(options)
  const jwks = jwksForm.safeParse(jsonOf(await readJwks(options)))
  if (!jwks.success) throw new TypeError('what should hold the keys of permits holds no key set')
  const { keys } = jwks.data
  const verified = await verifyPermit(token, {
    keys: keyRing(keys),
    issuer,
    projectId: project,
    action: options.action,
    params,
    audience: options.audience ?? defaultAudience(project, options.action),
    maxLifetimeSeconds: 3600,
  })
  console.log(JSON.stringify(verified.claims, null, 2))
  console.error('Valid. Whether it was used or revoked is not known offline.')
  return 0
}

async function readParams(given: string): Promise<unknown> {
  const json = given.startsWith('@') ? await readBoundedText(given.slice(1), MAX_PARAMS_BYTES) : given
  try {
    return parseStrictJson(json)
  } catch (cause) {
    throw new TypeError('--params is no strict JSON: write it in quotes, or as @file', { cause })
  }
}

/** What the flags leave open is what `silentauth dev` wrote into its data folder. */
async function gateOf({ issuer, project, data }: VerifyCommandOptions): Promise<{ issuer: string; project: string }> {
  if (issuer && project) return { issuer, project }
  const file = path.join(data, 'dev.json')
  const written = await readFile(file, 'utf8').catch(() => undefined)
  if (written === undefined) throw new TypeError(`no gate in ${data}: give --issuer, --project and --jwks`)
  const gate = gateForm.safeParse(jsonOf(written))
  if (!gate.success)
    throw new TypeError(`${file} is damaged: give --issuer, --project and --jwks, or start the gate again`)
  return { issuer: issuer ?? gate.data.issuer, project: project ?? gate.data.project_id }
}

async function readJwks({ jwks, data }: VerifyCommandOptions): Promise<string> {
  if (jwks === undefined || !/^https?:/.test(jwks)) {
    return readBoundedText(jwks ?? path.join(data, 'public.jwks.json'), MAX_JWKS_BYTES)
  }
  const url = new URL(jwks)
  if (url.protocol === 'http:' && url.hostname !== '127.0.0.1' && url.hostname !== '[::1]') {
    throw new TypeError('keys are fetched over https, or over http on 127.0.0.1')
  }
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(10_000) })
    const body = await response.text()
    if (!response.ok || body.length > MAX_JWKS_BYTES) throw new TypeError('no key set')
    return body
  } catch (cause) {
    throw new SilentAuthError('GATE_UNAVAILABLE', `${url.origin}: its keys cannot be fetched`, { cause })
  }
}
