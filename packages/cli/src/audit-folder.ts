/**
 * An export of the audit log as a folder: `audit.jsonl`, `checkpoint`, `vkey`. Written once, read line by line.
 *
 * @module
 */
import { createReadStream } from 'node:fs'
import { mkdir, open, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { ExportedAudit } from '@silentauth/core'
import { readNote } from './bounded-file.js'

const LEAVES = 'audit.jsonl'
const CHECKPOINT = 'checkpoint'
const VKEY = 'vkey'

/**
 * What was written of an export that broke off is taken away again: nothing looks like one that is none.
 *
 * @throws TypeError when the folder is there already: an export is evidence, and is not written over
 */
export async function writeAuditFolder(
  folder: string,
  { checkpoint, vkey }: { readonly checkpoint: string; readonly vkey: string },
  leaves: AsyncIterable<Uint8Array>,
): Promise<void> {
  await mkdir(path.dirname(path.resolve(folder)), { recursive: true })
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    throw new TypeError(`${folder} is there already, and no export is written over: name another with --out`, { cause })
  }
  try {
    await writeLeaves(path.join(folder, LEAVES), leaves)
    await writeFile(path.join(folder, CHECKPOINT), checkpoint, { flag: 'wx', mode: 0o600 })
    await writeFile(path.join(folder, VKEY), `${vkey}\n`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function writeLeaves(name: string, leaves: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(name, 'wx', 0o600)
  try {
    for await (const chunk of leaves) await file.write(chunk)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** @throws TypeError when it is no folder of an export */
export async function readAuditFolder(folder: string): Promise<ExportedAudit> {
  const there = await stat(folder).catch(() => undefined)
  if (!there?.isDirectory()) {
    const what = there ? 'is a file, perhaps a proof bundle, which `silentauth verify` takes' : 'is not there'
    throw new TypeError(`${folder} ${what}; an export is a folder with ${LEAVES}, ${CHECKPOINT} and ${VKEY}`)
  }
  for (const name of [LEAVES, CHECKPOINT, VKEY]) {
    const file = await stat(path.join(folder, name)).catch(() => undefined)
    if (!file || file.isDirectory()) {
      throw new TypeError(
        `${folder} has no file ${name}; an export is a folder with ${LEAVES}, ${CHECKPOINT} and ${VKEY}`,
      )
    }
  }
  const [checkpoint, vkeys] = await Promise.all([
    readNote(path.join(folder, CHECKPOINT)),
    readNote(path.join(folder, VKEY)),
  ])
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

/** Where it is no UTF-8 stands what no UTF-8 can say: replaced in silence, two files of other bytes could say the same. */
function textOf(parts: readonly Uint8Array[]): string {
  const bytes = Buffer.concat(parts)
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  const changed = differenceOf(bytes, Buffer.from(text))
  if (changed < 0) return text
  const before = bytes.toString('utf8', 0, changed).length
  return `${text.slice(0, before)}${LONE_SURROGATE}${text.slice(before + 1)}`
}

const LONE_SURROGATE = '\ud800'

function differenceOf(one: Buffer, other: Buffer): number {
  if (one.equals(other)) return -1
  const shorter = Math.min(one.length, other.length)
  for (let at = 0; at < shorter; at++) if (one[at] !== other[at]) return at
  return shorter
}
