/**
 * An export of the audit log as a folder: `audit.jsonl`, `checkpoint`, `vkey`. Written once, read line by line.
 *
 * @module
 */
import { createReadStream } from 'node:fs'
import { mkdir, open, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { ExportedAudit } from '@silentauth/core'
import { readNote } from './bounded-file.js'

const LEAVES = 'audit.jsonl'
const CHECKPOINT = 'checkpoint'
const VKEY = 'vkey'

/** @throws Error when the folder is there already: an export is evidence, and is not written over */
export async function writeAuditFolder(
  folder: string,
  { checkpoint, vkey }: { readonly checkpoint: string; readonly vkey: string },
  leaves: AsyncIterable<Uint8Array>,
): Promise<void> {
  await mkdir(path.dirname(path.resolve(folder)), { recursive: true })
  await mkdir(folder, { mode: 0o700 })
  const file = await open(path.join(folder, LEAVES), 'wx', 0o600)
  try {
    for await (const chunk of leaves) await file.write(chunk)
    await file.sync()
  } finally {
    await file.close()
  }
  await writeFile(path.join(folder, CHECKPOINT), checkpoint, { flag: 'wx', mode: 0o600 })
  await writeFile(path.join(folder, VKEY), `${vkey}\n`, { flag: 'wx', mode: 0o600 })
}

/** @throws TypeError when it is no folder of an export */
export async function readAuditFolder(folder: string): Promise<ExportedAudit> {
  const [checkpoint, vkeys] = await Promise.all([
    readNote(path.join(folder, CHECKPOINT)),
    readNote(path.join(folder, VKEY)),
  ])
  const leaves = await open(path.join(folder, LEAVES)).catch((cause: unknown) => {
    throw new TypeError(`${path.join(folder, LEAVES)} cannot be read`, { cause })
  })
  await leaves.close()
  const lines = linesOf(createReadStream(path.join(folder, LEAVES)))
  return { lines, checkpoint, vkeys: vkeys.split('\n').filter((vkey) => vkey !== '') }
}

/** Lines end with a line feed and with nothing else: other marks that end lines elsewhere may stand in a leaf. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest: Uint8Array[] = []
  let size = 0
  const add = (part: Uint8Array): void => {
    size += part.length
    if (size <= MAX_LINE_BYTES) rest.push(part)
    else rest = []
  }
  const line = (): string => {
    const text = size <= MAX_LINE_BYTES ? textOf(rest) : 'longer than any leaf'
    rest = []
    size = 0
    return text
  }
  for await (const chunk of chunks) {
    let from = 0
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, from)) {
      add(chunk.subarray(from, at))
      yield line()
      from = at + 1
    }
    if (from < chunk.length) add(chunk.subarray(from))
  }
  if (size > 0) yield line()
}

const LINE_FEED = 0x0a
/** Far more than the largest params, spelled twice: a file without a line feed must fit into memory too. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024

/** What is no UTF-8 becomes what is no leaf: replaced in silence, two files of other bytes could say the same. */
function textOf(parts: readonly Uint8Array[]): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts))
  } catch {
    return 'not UTF-8'
  }
}
