/**
 * Opening the file: with the settings that decisions need, read back, and never on a runtime that would lose text.
 *
 * @module
 */
import { chmod, mkdir, open } from 'node:fs/promises'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export interface OpenOptions {
  readonly timeoutMs: number
  readonly readOnly?: boolean
}

/** @throws TypeError when the runtime cuts texts at U+0000; Error when the file cannot be opened as it must be */
export async function openDatabase(file: string, { timeoutMs, readOnly = false }: OpenOptions): Promise<DatabaseSync> {
  try {
    if (file !== ':memory:' && !readOnly) await makeFile(file)
    const database = new DatabaseSync(file, { timeout: timeoutMs, readOnly })
    try {
      requireWholeTexts(database)
      if (!readOnly) configure(database, file)
      return database
    } catch (error) {
      database.close()
      throw error
    }
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof TypeError) throw cause
    // Whoever tries again when it is busy asks for the codes.
    const { code, errcode } = cause as Codes
    throw Object.assign(new Error(`the database ${file} cannot be used: ${whyNot(cause)}`, { cause }), {
      code,
      errcode,
    })
  }
}

interface Codes {
  readonly code?: unknown
  readonly errcode?: unknown
}

/** What SQLite and the system only name. */
function whyNot(cause: Error & Codes): string {
  if (cause.errcode === SQLITE_NOTADB)
    return 'it is another file, or a damaged one: restore a backup, or name another file'
  if (cause.code === 'EACCES' || cause.code === 'EPERM' || cause.code === 'EROFS')
    return 'this user may not write to it'
  if (cause.code === 'EISDIR') return 'it is a folder'
  return cause.message
}

const SQLITE_NOTADB = 26

/** Made before SQLite does, so that nobody else can read it for even a moment. */
async function makeFile(file: string): Promise<void> {
  await mkdir(path.dirname(path.resolve(file)), { recursive: true, mode: 0o700 })
  const handle = await open(file, 'a', 0o600)
  await handle.close()
  if (process.getuid) await chmod(file, 0o600)
}

/** Older bindings read a text up to its first NUL: two different params would be one. */
function requireWholeTexts(database: DatabaseSync): void {
  const { text } = database.prepare('select ? as text').get('a\0b') as { text: string }
  if (text !== 'a\0b') {
    throw new TypeError(`the SQLite of Node ${process.version} cuts texts at U+0000: use Node >=24.16 <25, or >=26.1`)
  }
}

function configure(database: DatabaseSync, file: string): void {
  // In memory: what a savepoint needs to be undone, which would else go to a file of its own.
  database.exec('pragma journal_mode=wal; pragma synchronous=full; pragma temp_store=memory')
  const { journal_mode: mode } = database.prepare('pragma journal_mode').get() as { journal_mode: string }
  const { synchronous } = database.prepare('pragma synchronous').get() as { synchronous: number }
  const durable = file === ':memory:' || mode === 'wal'
  if (!durable || synchronous !== 2) {
    throw new Error(`${path.basename(file)}: SQLite did not take journal_mode=wal and synchronous=full`)
  }
}
