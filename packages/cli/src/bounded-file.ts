/**
 * A bounded file: what a stranger sent is read as far as it could be what it should be, and no further.
 *
 * @module
 */
import { open } from 'node:fs/promises'

/** The file's first bytes, one more than `most` at most: whoever gets that many knows that it is too large. */
export async function readBounded(file: string, most: number): Promise<Uint8Array> {
  const handle = await open(file)
  try {
    const chunks: Uint8Array[] = []
    let left = most + 1
    for await (const chunk of handle.createReadStream({ autoClose: false })) {
      chunks.push((chunk as Uint8Array).subarray(0, left))
      left -= (chunk as Uint8Array).length
      if (left <= 0) break
    }
    return Buffer.concat(chunks)
  } finally {
    await handle.close()
  }
}

/** @throws TypeError when it cannot be read, or is larger than a megabyte: no key and no checkpoint is */
export async function readNote(file: string): Promise<string> {
  try {
    const bytes = await readBounded(file, MAX_NOTE_BYTES)
    if (bytes.length > MAX_NOTE_BYTES) throw new TypeError('it is too large')
    return Buffer.from(bytes).toString('utf8')
  } catch (cause) {
    throw new TypeError(`${file} cannot be read`, { cause })
  }
}

const MAX_NOTE_BYTES = 1024 * 1024
