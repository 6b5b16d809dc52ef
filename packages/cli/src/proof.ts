/**
 * `silentauth proof`: the proof bundle of an intent, as a file; and what `silentauth verify` finds in one, offline.
 *
 * @module
 */
import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  isSilentAuthError,
  type Json,
  type JsonObject,
  MAX_BUNDLE_BYTES,
  type ProofBundle,
  verifyProofBundle,
} from '@silentauth/core'
import { type ApproverSession, askFile, readSession } from './approver-session.js'
import { printFindings } from './audit.js'
import { readBounded } from './bounded-file.js'
import { printable } from './printable.js'

export interface ProofOptions {
  readonly out?: string
  readonly values?: boolean
}

/** A checkpoint comes within a second or two; who asks right after an execution need not ask twice. */
const TRIES = 10
const TRY_AGAIN_MS = 1000

export async function proof(intent: string, { out, values = false }: ProofOptions): Promise<number> {
  const session = await readSession()
  const bundle = await bundleOf(
    session,
    `/api/audit/bundle/${encodeURIComponent(intent)}${values ? '?values=true' : ''}`,
  )
  if (out === '-') {
    process.stdout.write(bundle)
    return 0
  }
  const file = out ?? `${intent}.proof.json`
  try {
    await writeFile(file, bundle, { flag: 'wx', mode: 0o600 })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    throw new TypeError(`${file} is there already, and no bundle is written over: name another with --out`, { cause })
  }
  console.log(file)
  return 0
}

export interface VerifyBundleOptions {
  readonly trust: string
  readonly json?: boolean
}

/** @returns 0 proved, 1 tampered, 3 incomplete. @throws TypeError for what cannot be looked at */
export async function verifyBundle(file: string, { trust, json }: VerifyBundleOptions): Promise<number> {
  const bytes = await readBounded(file, MAX_BUNDLE_BYTES)
  if (bytes.length === 0) throw new TypeError(`${file} is empty: nothing was verified`)
  const verdict = await verifyProofBundle(bytes, { trust })
  const { exitCode, findings, found, checkpoint, bundle } = verdict
  if (json) console.log(JSON.stringify({ exitCode, findings, found, checkpoint }))
  printFindings(verdict)
  if (bundle && checkpoint) {
    for (const line of storyOf(bundle)) console.error(printable(line))
    const signed = `the log ${checkpoint.origin}, ${checkpoint.size} leaves`
    console.error(printable(exitCode === 0 ? `Proved by ${signed}.` : `Nothing contradicts it, by ${signed}.`))
  } else console.error('NOT proved.')
  return exitCode
}

async function bundleOf(session: ApproverSession, route: string): Promise<Uint8Array> {
  for (let tried = 1; ; tried++) {
    try {
      return new Uint8Array(await (await askFile(session, route)).arrayBuffer())
    } catch (error) {
      if (!isSilentAuthError(error) || error.code !== 'NOT_SEQUENCED' || tried === TRIES) throw error
      await sleep(TRY_AGAIN_MS)
    }
  }
}

function storyOf({ intent, votes, permits, redemptions }: ProofBundle): readonly string[] {
  const view = intent.view as JsonObject
  return [
    `${text(intent.id)}  ${text(view.action)}  ${text(view.risk_tier)}  ${text(intent.status)}`,
    `  declared ${text(intent.declared_at)} by ${text(intent.declared_by)}`,
    `  shown to approvers: ${text(view.params)}`,
    ...votes.map((vote) => `  ${text(vote.verdict)} ${text(vote.at)} by ${text(vote.by)} via ${text(vote.via)}`),
    ...permits.map((permit) => `  permit ${text(permit.jti)} for ${text(permit.aud)} until ${instantOf(permit.exp)}`),
    ...redemptions.map(
      (one) => `  redeemed ${text(one.at)} by ${text(one.by)}${one.replayed === true ? ' again' : ''}`,
    ),
  ]
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}

function instantOf(seconds: Json | undefined): string {
  return typeof seconds === 'number' ? new Date(seconds * 1000).toISOString() : text(seconds)
}
