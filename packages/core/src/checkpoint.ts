/**
 * Checkpoints (C2SP tlog-checkpoint): the size and head of a log at one moment, signed. Whoever keeps one can prove later that
 * nothing before it was rewritten.
 *
 * The key is named after the log, issuer and project; the origin adds the epoch, which a restore increases: so one trusted
 * fingerprint is of one project's log, and a checkpoint of one epoch never passes for one of another.
 *
 * @module
 */
import { decodeBase64url, encodeBase64url } from './base64url.js'
import { SilentAuthError } from './errors.js'
import type { ProjectId } from './id.js'
import { isTreeHash, type TreeHash } from './merkle-tree.js'
import { decodeBase64, encodeBase64, type NoteKey, type NoteSigner, openNote, signNote } from './signed-note.js'

export interface Checkpoint {
  /** `<log>/<epoch>` */
  readonly origin: string
  /** Leaves; at least 1. */
  readonly size: number
  readonly root: TreeHash
}

/** What an origin says. */
export interface LogOrigin {
  /** Name of the log, and of the key that signs for it: `<host and path of the issuer, or its urn>/<project id>`. */
  readonly log: string
  readonly projectId: ProjectId
  /** From 0; a restore begins the next. */
  readonly epoch: number
}

/** @throws TypeError for an issuer with whitespace or `+`, which no name of a key may have */
export function logName(issuer: string, projectId: ProjectId): string {
  const place = issuer.replace(/^https?:\/\//, '').replace(/\/+$/, '')
  if (place === '' || /[\s+\p{Cc}]/u.test(place)) throw new TypeError('this issuer cannot name a log')
  return `${place}/${projectId}`
}

export function logOrigin(log: string, epoch: number): string {
  if (!Number.isSafeInteger(epoch) || epoch < 0) throw new TypeError('epochs are counted from 0')
  return `${log}/${epoch}`
}

/** Undefined for what is no origin of a log. */
export function parseOrigin(origin: string): LogOrigin | undefined {
  const found = /^(?<log>[^\s+]+\/(?<project>prj_[^\s+/]+))\/(?<epoch>0|[1-9]\d{0,9})$/u.exec(origin)?.groups
  if (!found) return undefined
  return { log: found.log as string, projectId: found.project as ProjectId, epoch: Number(found.epoch) }
}

/** The three lines that are signed. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  const bytes = isTreeHash(root) ? decodeBase64url(root) : undefined
  if (!parseOrigin(origin) || !isSize(String(size)) || !bytes) throw new TypeError('not a checkpoint')
  return `${origin}\n${size}\n${encodeBase64(bytes)}\n`
}

/** @throws TypeError when a signer is of another log, or the size is 0 */
export async function signCheckpoint(checkpoint: Checkpoint, ...signers: readonly NoteSigner[]): Promise<string> {
  const log = parseOrigin(checkpoint.origin)?.log
  if (signers[0]?.name !== log) throw new TypeError('the first signer is the key of the log')
  return signNote(checkpointText(checkpoint), signers)
}

export interface OpenCheckpoint extends Checkpoint, LogOrigin {
  readonly signedBy: readonly NoteKey[]
}

/**
 * A checkpoint that a key of its own log signed, among `keys`. Other signatures (witnesses) may stand beside.
 *
 * @throws SilentAuthError `INVALID_FIELD`, `field` naming the part: `note`, `signature`, `signer`, `origin`, `size`, `root`
 */
export async function openCheckpoint(note: string, keys: readonly NoteKey[]): Promise<OpenCheckpoint> {
  const { text, signedBy } = await openNote(note, keys)
  const checkpoint = parseCheckpoint(text)
  if (!signedBy.some(({ name }) => name === checkpoint.log)) refuse('origin', 'it is of another log than its key')
  return { ...checkpoint, signedBy }
}

/** What a checkpoint says, whoever signed it: for comparing, never for trusting. @throws SilentAuthError as `openCheckpoint` */
export function readCheckpoint(note: string): Checkpoint & LogOrigin {
  const cut = note.lastIndexOf('\n\n')
  if (cut < 0) refuse('note', 'it is no signed note')
  return parseCheckpoint(note.slice(0, cut + 1))
}

function parseCheckpoint(text: string): Checkpoint & LogOrigin {
  const lines = text.split('\n')
  const [origin = '', size = '', root = ''] = lines
  const log = parseOrigin(origin)
  const bytes = decodeBase64(root)
  if (!log) return refuse('origin', 'it is no origin of a log')
  if (!isSize(size)) return refuse('size', 'the size is no count of leaves from 1')
  if (bytes?.length !== 32) return refuse('root', 'the root is not 32 bytes in base64')
  if (lines.length !== 4) return refuse('note', 'a checkpoint has three lines')
  return { ...log, origin, size: Number(size), root: encodeBase64url(bytes) }
}

function isSize(text: string): boolean {
  return /^[1-9]\d{0,15}$/.test(text) && Number.isSafeInteger(Number(text))
}

function refuse(field: string, reason: string): never {
  throw new SilentAuthError('INVALID_FIELD', `checkpoint: ${reason}`, { field })
}
