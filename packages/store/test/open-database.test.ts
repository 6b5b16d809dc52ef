import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { openDatabase } from '../src/open-database.js'

const folder = mkdtempSync(path.join(tmpdir(), 'silentauth-open-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => vi.restoreAllMocks())
let files = 0
const newFile = () => path.join(folder, `${++files}.db`)

describe('openDatabase', () => {
  it('writes ahead, and waits for the disk at every commit', async () => {
    using database = await openDatabase(newFile(), { timeoutMs: 100 })
    expect([pragma(database, 'journal_mode'), pragma(database, 'synchronous')]).toEqual(['wal', 2])
  })

  it('keeps to itself a file that others could read', async () => {
    const file = newFile()
    writeFileSync(file, '')
    chmodSync(file, 0o666)
    using _ = await openDatabase(file, { timeoutMs: 100 })
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('leaves a folder as it is that it did not make', async () => {
    const shared = path.join(folder, 'shared')
    mkdirSync(shared)
    chmodSync(shared, 0o755)
    using _ = await openDatabase(path.join(shared, 'a.db'), { timeoutMs: 100 })
    expect(statSync(shared).mode & 0o777).toBe(0o755)
  })

  it('opens for reading only what is there, and cannot write to it', async () => {
    const file = newFile()
    await expect(openDatabase(file, { timeoutMs: 100, readOnly: true })).rejects.toThrow()
    expect(existsSync(file)).toBe(false)
    using writing = await openDatabase(file, { timeoutMs: 100 })
    writing.exec('create table a (b text)')
    using reading = await openDatabase(file, { timeoutMs: 100, readOnly: true })
    expect(() => reading.exec("insert into a values ('c')")).toThrow('readonly')
  })

  it('refuses a runtime that reads a text up to its first NUL, and closes the file', async () => {
    const file = newFile()
    // What the binding of Node 22.23 does.
    const get = StatementSync.prototype.get
    vi.spyOn(StatementSync.prototype, 'get').mockImplementation(function (this: StatementSync, ...args) {
      const row = get.apply(this, args)
      return row?.text === undefined ? row : { text: String(row.text).split('\0')[0] ?? '' }
    })
    const close = vi.spyOn(DatabaseSync.prototype, 'close')
    await expect(openDatabase(file, { timeoutMs: 100 })).rejects.toThrow(TypeError)
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('refuses a database that does not write ahead, and closes the file', async () => {
    const exec = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(() => undefined)
    const close = vi.spyOn(DatabaseSync.prototype, 'close')
    await expect(openDatabase(newFile(), { timeoutMs: 100 })).rejects.toThrow('journal_mode=wal')
    expect([exec.mock.calls.length, close.mock.calls.length]).toEqual([1, 1])
  })
})

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`pragma ${name}`).get() ?? {})[0]
}
