import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const here = (name: string): string => path.join(import.meta.dirname, name)
const readme = await readFile(here('../README.md'), 'utf8')

describe('the README', () => {
  it('has every option of sqliteStore', async () => {
    const source = await readFile(here('../src/sqlite.ts'), 'utf8')
    const [, options = ''] = /export interface SqliteStoreOptions \{([\s\S]*?)\n\}/.exec(source) ?? []
    const names = [...options.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name)
    expect([...readme.matchAll(/^\| `([a-z]\w+)` +\|/gm)].map(([, name]) => name)).toEqual(names)
  })

  it('shows an example that runs, and remembers what it declared', { timeout: 60_000 }, async () => {
    expect(readme).toContain(await readFile(here('readme-example.ts'), 'utf8'))
    const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-readme-'))
    const sources = process.env.SA_DIST ? [] : ['--conditions=@silentauth/source', '--import', here('sources.mjs')]
    const run = async () =>
      (await promisify(execFile)(process.execPath, [...sources, here('readme-example.ts'), `${folder}/gate.db`])).stdout
    try {
      const first = await run()
      expect(first).toMatch(/^int_\w+ pending\n$/)
      expect(await run()).toBe(first)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
