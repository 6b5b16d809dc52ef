import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readCheckpoint } from '@silentauth/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fileAnchor, webhookAnchor } from '../src/anchors.js'
import { startServer } from '../src/start-server.js'

let folder: string
let opened: Server[]
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'silentauth-anchors-'))
  opened = []
})
afterEach(async () => {
  for (const server of opened) server.close()
  await rm(folder, { recursive: true, force: true })
})
const signal = new AbortController().signal

/** Answers with `status`, and keeps what was posted. */
async function receiver(status: number, headers: Record<string, string> = {}) {
  const bodies: string[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    bodies.push(body)
    response.writeHead(status, headers).end()
  })
  opened.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/anchor`, bodies }
}

describe('a file', () => {
  it('gets a line for each checkpoint behind those that are there', async () => {
    const file = path.join(folder, 'anchors', 'log.jsonl')
    const anchor = fileAnchor(file, { now: () => 0 })
    await anchor.put('one\n', { signal })
    await anchor.put('two\n', { signal })
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      ['one\n', 'two\n'].map((checkpoint) => ({ at: '1970-01-01T00:00:00.000Z', checkpoint })),
    )
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })
})

describe('a URL', () => {
  it('gets the checkpoint as JSON', async () => {
    const { url, bodies } = await receiver(204)
    await webhookAnchor(url).put('note', { signal })
    expect(bodies).toEqual(['{"checkpoint":"note"}'])
  })

  it.each([
    ['an error', 500, {}],
    ['a redirect', 307, { location: 'https://example.com/' }],
  ])('has not taken what it answers with %s', async (_, status, headers) => {
    const { url } = await receiver(status, headers)
    await expect(webhookAnchor(url).put('note', { signal })).rejects.toThrow()
  })

  it.each(['http://example.com/', 'http://localhost/', 'ftp://127.0.0.1/'])('is not %s', (url) => {
    expect(() => webhookAnchor(url)).toThrow(TypeError)
  })
})

it('a server anchors what it holds, also the last checkpoint before it ends', async () => {
  const file = path.join(folder, 'log.jsonl')
  const dirs = { dataDir: path.join(folder, 'data'), stateDir: path.join(folder, 'state') }
  const server = await startServer({ port: 0, dashboardDir: false, anchors: [fileAnchor(file)], ...dirs })
  await server.log.settle()
  await vi.waitFor(async () => expect((await readFile(file, 'utf8')).length).toBeGreaterThan(0))
  await server.addPerson({ email: 'late@example.com' })
  await server.close()
  const notes = (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).checkpoint as string)
  expect(notes.at(-1)).toBe(server.log.head()?.note)
  expect(readCheckpoint(notes.at(-1) ?? '').size).toBeGreaterThan(readCheckpoint(notes[0] ?? '').size)
})
