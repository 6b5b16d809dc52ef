import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const here = (name: string): string => path.join(import.meta.dirname, name)
const readme = await readFile(here('../README.md'), 'utf8')

describe('the README', () => {
  it.each([
    ['sqliteStore', { sqlite: 'SqliteStoreOptions' }],
    [
      'postgresStore',
      {
        'postgres-pool': 'PoolOptions',
        'postgres-probe': 'ProbeOptions',
        'postgres-changes': 'ChangesOptions',
        postgres: 'PostgresStoreOptions',
      },
    ],
  ])('has every option of %s', async (factory, interfaces) => {
    const names: (string | undefined)[] = []
    for (const [file, name] of Object.entries(interfaces)) {
      const source = await readFile(here(`../src/${file}.ts`), 'utf8')
      const [, options = ''] = new RegExp(`export interface ${name}.*\\{([\\s\\S]*?)\\n\\}`).exec(source) ?? []
      names.push(...[...options.matchAll(/readonly (\w+)\??:/g)].map(([, option]) => option))
    }
    const [, section = ''] = readme.split(`## Options of \`${factory}\`\n`)
    const listed = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `([a-z]\w+)` +\|/gm)].map(([, option]) => option)
    expect(listed).toEqual(names)
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
