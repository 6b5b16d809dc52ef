import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { newId, randomToken } from '@silentauth/core'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { main } from '../src/main.js'

let folder: string
const said: string[] = []
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'silentauth-damaged-'))
  said.length = 0
  vi.stubEnv('SILENTAUTH_DATA', folder)
  vi.stubEnv('SILENTAUTH_URL', undefined)
  for (const to of ['log', 'error'] as const) {
    vi.spyOn(console, to).mockImplementation((line: unknown) => void said.push(String(line)))
  }
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

it.each([
  ['the session of an approver', 'approver-session.json', ['inbox'], 77],
  ['dev.json', 'dev.json', ['verify', 'a.b.c', '--action', 'issue_refund', '--params', '{}'], 64],
])('a damaged file with %s is named, and nothing of its secrets is said', async (_, name, args, code) => {
  const secret = randomToken(4)
  await writeFile(path.join(folder, name), `{"id":"${newId('ses')}","s":${secret}`, { mode: 0o600 })
  expect(await main(args)).toBe(code)
  expect(said.join('\n')).toMatch(new RegExp(`${name} is damaged`))
  expect(said.join('\n')).not.toContain(secret.slice(0, 4))
})
