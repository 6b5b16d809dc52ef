/**
 * A bounded file: what a stranger sent, or somebody names on the command line, is read as far as it could be what it should be, and
 * no further.
 *
 * @module
 */
import { createReadStream } from 'node:fs'

/**
 * The file's first bytes, one more than `most` at most: whoever gets that many knows that it is too large.
 *
 * @param file its path, or `-` for standard input
 * @throws TypeError when it cannot be read
 */
export async function readBounded(file: string, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let left = most + 1
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      chunks.push((chunk as Uint8Array).subarray(0, left))
      left -= (chunk as Uint8Array).length
      if (left <= 0) break
    }
  } catch (cause) {
    throw new TypeError(`${file} cannot be read${reasonIn(cause)}`, { cause })
  }
  return Buffer.concat(chunks)
}

/** @throws TypeError when it cannot be read, or is larger */
export async function readBoundedText(file: string, most: number): Promise<string> {
  const bytes = await readBounded(file, most)
  if (bytes.length > most) throw new TypeError(`${file} cannot be read: it is too large`)
  return Buffer.from(bytes).toString('utf8')
}

/** @throws TypeError when it cannot be read, or is larger than a megabyte: no key and no checkpoint is */
export async function readNote(file: string): Promise<string> {
  return readBoundedText(file, MAX_NOTE_BYTES)
}

const MAX_NOTE_BYTES = 1024 * 1024

function reasonIn(cause: unknown): string {
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return ': there is no such file'
    case 'EISDIR':
      return ': it is a folder'
    case 'EACCES':
    case 'EPERM':
      return ': this user may not'
    default:
      return ''
  }
}
