/**
 * `npm run docs`: writes the parts of the documentation that the code already says, so that they cannot drift. With `--check`
 * it writes nothing, and fails when something would change.
 *
 * Whole pages are in `PAGES`. Within other pages, `BLOCKS` fills what lies between `<!-- errors:start PERMIT_* -->` and
 * `<!-- errors:end -->`; the words after `start` go to the block (for errors: which codes, all by default).
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { adapterTables } from '@silentauth/core/contracts'
import { FIELD_FAILURES, type FieldFailure } from '../test/e2e/field-failures/failures.ts'
import { httpApiPage, type OpenApi } from './http-api-page.ts'
import { ADAPTERS } from './matrix.ts'
import { peerVersions } from './peer-projects.ts'
import { packages, ROOT } from './workspace.ts'

/** What the pages are made of. */
export interface Core extends Pick<typeof import('@silentauth/core'), 'ERROR_STATUS' | 'ERROR_HINT' | 'RISK_FACTORS'> {
  /** Of the server. */
  readonly openApi: OpenApi
  /** Of the conformance suite of adapters. */
  readonly matrix: string
}

const PAGES: Record<string, (core: Core) => string> = {
  'docs/errors.md': errorsPage,
  'docs/http-api.md': ({ openApi }) => `${NOTICE}\n\n${httpApiPage(openApi)}`,
}

const BLOCKS: Record<string, (core: Core, words: string[]) => string> = {
  errors: errorsTable,
  'field-failures': () => fieldFailuresTable(FIELD_FAILURES),
  matrix: ({ matrix }) => matrix,
  peers: (_, [adapter = '']) => peerVersions(adapter),
  'risk-factors': riskFactorsTable,
}

const NOTICE = '<!-- Made by `npm run docs`; edit the code that it tells, not this page. -->'

/** Every file that is made of code, whole or in part, as it should be; paths are relative to the root. */
export function generatedDocs(core: Core): Map<string, string> {
  const docs = new Map(Object.entries(PAGES).map(([file, page]) => [file, page(core)]))
  for (const file of handWrittenPages()) {
    const text = readFileSync(path.join(ROOT, file), 'utf8')
    const filled = fillBlocks(file, text, core)
    if (filled !== undefined) docs.set(file, filled)
  }
  return docs
}

/** The page with its blocks filled; undefined when it has none. */
export function fillBlocks(file: string, text: string, core: Core): string | undefined {
  const block = /<!-- ([a-z-]+):start(.*?) -->\n[\s\S]*?<!-- \1:end -->/g
  const starts = text.match(/<!-- [a-z-]+:start/g)?.length ?? 0
  let filled = 0
  const result = text.replace(block, (_, name: string, words: string) => {
    const fill = BLOCKS[name]
    if (fill === undefined) throw new Error(`${file}: no block is called ${name}`)
    filled++
    return `<!-- ${name}:start${words} -->\n${fill(core, words.split(' ').filter(Boolean))}<!-- ${name}:end -->`
  })
  if (filled !== starts) throw new Error(`${file}: a block is not closed`)
  return starts === 0 ? undefined : result
}

function errorsPage(core: Core): string {
  return `${NOTICE}

# Errors

Every refusal has a code, which is contract: branch on it, never on the message. Answers over HTTP carry it as
\`{ "data": null, "error": { "code", "message", "hint" } }\`; in TypeScript it is \`error.code\` of a \`SilentAuthError\`
(ask with \`isSilentAuthError(error)\`). Messages name ids and fields, never parameter values, tokens or keys. Codes without
an HTTP status are made on the client side; no gate sends them.

${errorsTable(core, [])}`
}

function fieldFailuresTable(failures: Readonly<Record<string, FieldFailure>>): string {
  const rows = Object.entries(failures).map(([name, { stock, sources, ours }]) => {
    const links = Object.entries(sources).map(([source, address]) => `[${source}](${address})`)
    return `| ${name} | ${stock} (${links.join(', ')}) | ${ours} |\n`
  })
  return ['| attack, and name of its tests | without a gate | with one |\n', '| --- | --- | --- |\n', ...rows].join('')
}

/** @param patterns codes, or beginnings that end in \`*\`. */
function errorsTable({ ERROR_STATUS, ERROR_HINT }: Core, patterns: string[]): string {
  const wanted = (code: string) =>
    patterns.some((p) => (p.endsWith('*') ? code.startsWith(p.slice(0, -1)) : code === p)) || patterns.length === 0
  const codes = (Object.keys(ERROR_STATUS) as (keyof Core['ERROR_STATUS'])[]).filter(wanted)
  for (const pattern of patterns) {
    if (!codes.some((code) => code.startsWith(pattern.replace('*', '')))) throw new Error(`no error code is ${pattern}`)
  }
  const rows = codes.map(
    (code) => `| \`${code}\` | ${ERROR_STATUS[code] ?? '–'} | ${ERROR_HINT[code].replaceAll('|', '\\|')} |`,
  )
  return ['| code | HTTP | what to do |', '|---|---|---|', ...rows, ''].join('\n')
}

function riskFactorsTable({ RISK_FACTORS }: Core): string {
  const rows = Object.entries(RISK_FACTORS).map(
    ([name, { weight, description }]) => `| \`${name}\` | ${weight} | ${description} |`,
  )
  return `| factor | weight | applies when |\n|---|---|---|\n${rows.join('\n')}\n`
}

function handWrittenPages(): string[] {
  const docs = path.join(ROOT, 'docs')
  const inDocs = existsSync(docs) ? readdirSync(docs).filter((name) => name.endsWith('.md')) : []
  return [
    'README.md',
    ...inDocs.map((name) => `docs/${name}`),
    ...packages().map(({ folder }) => path.relative(ROOT, path.join(folder, 'README.md'))),
  ].filter((file) => !(file in PAGES) && existsSync(path.join(ROOT, file)))
}

/** As the running app answers it. */
export async function openApiOfServer(): Promise<OpenApi> {
  const { testGate } = await import('@silentauth/core/testing')
  const { createGateApp } = await import('@silentauth/server')
  await using test = await testGate()
  const publicUrl = 'http://127.0.0.1:4747'
  using app = createGateApp({ gate: test.local, store: test.store, publicUrl, pollMs: 0 })
  const answer = await app.request('/openapi.json', { headers: { host: new URL(publicUrl).host } })
  if (!answer.ok) throw new Error(`/openapi.json answered ${answer.status}`)
  return (await answer.json()) as OpenApi
}

if (import.meta.main) {
  const check = process.argv.includes('--check')
  for (const [file, text] of generatedDocs({
    ...(await import('@silentauth/core')),
    openApi: await openApiOfServer(),
    matrix: adapterTables(ADAPTERS),
  })) {
    const target = path.join(ROOT, file)
    if (existsSync(target) && readFileSync(target, 'utf8') === text) continue
    if (check) {
      console.error(`${file} is not what the code says: run \`npm run docs\`.`)
      process.exitCode = 1
    } else {
      writeFileSync(target, text)
      console.log(`wrote ${file}`)
    }
  }
}
