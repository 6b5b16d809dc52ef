import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Route } from '../src/route-table.js'
import { testApp } from './test-app.js'

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const readme = await readFile(here('../README.md'), 'utf8')

describe('the README', () => {
  it('has every route, and none that is not there', async () => {
    await using test = await testApp()
    const [, table = ''] = /<!-- routes:table -->\n([\s\S]*?)<!-- routes:end -->/.exec(readme) ?? []
    expect(unaligned(table)).toBe(routesTable(test.app.table))
  })

  it('has every option of startServer', async () => {
    const optionsIn = async (file: string, name: string): Promise<string[]> => {
      const [, options = ''] =
        new RegExp(`export interface ${name}.*\\{([\\s\\S]*?)\\n\\}`).exec(await readFile(here(file), 'utf8')) ?? []
      return [...options.matchAll(/readonly (\w+)\?:/g)].map(([, option = '']) => option)
    }
    const names = [
      ...(await optionsIn('../src/open-gate.ts', 'GateOptions')),
      ...(await optionsIn('../src/start-server.ts', 'ServerOptions')),
    ]
    const listed = [...readme.matchAll(/^\| `([a-z]\w+)` +\|/gm)].map(([, name]) => name)
    expect(names.length).toBeGreaterThan(10)
    expect(listed).toEqual(names)
  })

  it('shows an example that runs', async () => {
    expect(readme).toContain(await readFile(here('readme-example.ts'), 'utf8'))
    const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-readme-'))
    const sources = process.env.SA_DIST ? [] : ['--conditions=@silentauth/source', '--import', here('sources.mjs')]
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [...sources, here('readme-example.ts')], {
        env: { ...process.env, SILENTAUTH_DATA: path.join(folder, 'data') },
      })
      expect(stdout).toMatch(/^require_approval: http:\/\/127\.0\.0\.1:\d+\/sign-in#token=\S+&next=\/inbox\/int_\w+\n$/)
    } finally {
      await rm(folder, { recursive: true })
    }
  }, 30_000)
})

/** A formatter may align its columns. */
function unaligned(table: string): string {
  return table.replaceAll(/ +/g, ' ').replaceAll(/ ?-{3,} ?/g, '---')
}

const WHO = {
  open: 'everybody',
  'sign-in': 'whoever has a link',
  agent: 'agent key',
  key: 'verifier key',
  person: 'person',
}

function routesTable(routes: readonly Route[]): string {
  const rows = routes.map(({ method, path: at, access, roles, query, summary }) => {
    const names = Object.keys((query as { shape?: object } | undefined)?.shape ?? {})
    const where = names.length > 0 ? `${at}?${names.map((name) => `${name}=`).join('&')}` : at
    const who = at === '/api/executions' ? 'any key' : (roles?.join(', ') ?? WHO[access])
    return `| \`${method} ${where}\` | ${who} | ${summary} |\n`
  })
  return `| route | for | |\n|---|---|---|\n${rows.join('')}`
}
