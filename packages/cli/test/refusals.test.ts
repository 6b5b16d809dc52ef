import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { main } from '../src/main.js'

let folder: string
let port: number
const said: string[] = []
const taken = createServer()
const file = (name: string): string => path.join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'silentauth-refusals-'))
  vi.stubEnv('SILENTAUTH_DATA', file('data'))
  vi.stubEnv('SILENTAUTH_STATE', file('state'))
  for (const to of ['log', 'error'] as const) {
    vi.spyOn(console, to).mockImplementation((line: unknown) => void said.push(String(line)))
  }
  await Promise.all([
    writeFile(file('no-json'), 'hunter2 {'),
    writeFile(file('no-keys.json'), '{"keys":"hunter2"}'),
    writeFile(file('keys.json'), '{"keys":[]}'),
    writeFile(file('unknown-member.json'), '{"name":"a","match":{},"decision":"require_approval","aproval":{}}'),
    mkdir(file('damaged')).then(() => writeFile(file('damaged/dev.json'), 'hunter2')),
  ])
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  port = (taken.address() as { port: number }).port
})
afterAll(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  taken.close()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => {
  said.length = 0
})

/** What a stranger gets wrong. Each ends with its code and with sentences: no stack, no name of a system call, no content of a file. */
it.each([
  ['a key set that is not there', 64, () => verify({ jwks: 'nothing' })],
  ['a key set that is a folder', 64, () => verify({ jwks: 'data' })],
  ['a key set that is no JSON', 64, () => verify({ jwks: 'no-json' })],
  ['a key set of another form', 64, () => verify({ jwks: 'no-keys.json' })],
  ['params that are no JSON', 64, () => verify({ params: '{amount: 1}' })],
  ['params in a file that is not there', 64, () => verify({ params: '@nothing' })],
  [
    'a data folder whose description is damaged',
    64,
    () => ['verify', 'token', '--action', 'a', '--params', '{}', '--data', file('damaged')],
  ],
  ['policies that are not there', 64, () => ['dev', '--port', '0', '--policies', file('nothing')]],
  ['policies that are no JSON', 12, () => ['dev', '--port', '0', '--policies', file('no-json')]],
  ['policies with an unknown member', 12, () => ['dev', '--port', '0', '--policies', file('unknown-member.json')]],
  ['a data folder that is a file', 1, () => ['dev', '--port', '0', '--data', file('no-json')]],
  ['a port that is taken', 1, () => ['dev', '--port', String(port), '--data', file('data')]],
])('%s', async (_, code, args) => {
  expect(await main(args())).toBe(code)
  expect(said.length).toBeGreaterThan(0)
  expect(said.join('\n')).not.toMatch(/\bE[A-Z]{4,}\b|hunter2|^ +at /m)
})

function verify({ jwks = 'keys.json', params = '{}' }: { jwks?: string; params?: string }): string[] {
  const gate = ['--project', 'prj_a', '--issuer', 'https://gate.example.com']
  return ['verify', 'token', '--action', 'a', '--params', params, '--jwks', file(jwks), ...gate]
}

it('names the file of policies that are refused', async () => {
  await main(['dev', '--port', '0', '--policies', file('unknown-member.json')])
  expect(said[0]).toContain(`${file('unknown-member.json')}: /aproval`)
})
