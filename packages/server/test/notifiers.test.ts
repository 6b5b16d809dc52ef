import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import type { Notifier } from '@silentauth/core'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type RunningServer, type ServerOptions, startServer } from '../src/start-server.js'
import { REFUND } from './test-app.js'
import { webhook } from './webhook.mjs'

let dataDir: string
let channel: Receiver
const running: RunningServer[] = []

beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'silentauth-notifiers-'))
  channel = await receiver()
})
afterEach(async () => {
  channel.answer(200)
  for (const server of running.splice(0)) await server.close()
  await channel.close()
  await rm(dataDir, { recursive: true, force: true })
})

describe('a server with a notifier', () => {
  it('tells it of what happens, over a connection of its own, and of no params', async () => {
    const server = await start({ notifiers: [webhook(channel.url)] })
    const id = await declare(server)
    await expect.poll(() => channel.heard).toHaveLength(1)
    expect(channel.heard[0]).toMatchObject({
      event: 'intent.created',
      intentId: id,
      action: 'issue_refund',
      source: 'refund-agent-v1',
      status: 'pending',
    })
    expect(JSON.stringify(channel.heard)).not.toContain('cust_4821')
  })

  it('answers agents while the channel does not', async () => {
    channel.answer('nothing')
    const server = await start({ notifiers: [webhook(channel.url)] })
    await declare(server)
    await expect.poll(() => channel.heard).toHaveLength(1)
    expect(await declare(server)).toMatch(/^int_/)
  })

  it('says which delivery failed, and neither where to nor what was answered', async () => {
    const lines: string[] = []
    const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) })
    channel.answer(503)
    const server = await start({ notifiers: [webhook(`${channel.url}/secret-path`)], logger })
    await declare(server)
    await expect
      .poll(() => lines.map((line) => JSON.parse(line)))
      .toMatchObject([
        { level: 40, notifier: 'webhook', eventId: expect.stringMatching(/^out_/), attempt: 1, reason: 'Error' },
      ])
    expect(lines.join('\n')).toContain(channel.heard[0]?.id)
    expect(lines.join('\n')).not.toMatch(/secret-path|503|cust_4821/)
  })

  it('lets a delivery that is under way finish before it is closed', async () => {
    channel.answer('nothing')
    const server = await start({ notifiers: [webhook(channel.url)] })
    await declare(server)
    await expect.poll(() => channel.heard).toHaveLength(1)
    const closed = server.close()
    channel.answer(200)
    await closed
    expect(waitingIn(dataDir)).toEqual([])
  })

  it('closes although the channel hangs, and tells it again when it runs again', async () => {
    const hanging: Notifier = { name: 'webhook', notify: () => new Promise(() => undefined) }
    const server = await start({ notifiers: [hanging] })
    const id = await declare(server)
    await expect.poll(() => waitingIn(dataDir)).toMatchObject([{ attempts: 1 }])
    await server.close()
    endLeases(dataDir)
    await start({ notifiers: [webhook(channel.url)] })
    await expect.poll(() => channel.heard).toMatchObject([{ intentId: id, attempt: 2 }])
  })

  it('that is killed while it delivers leaves that to the next one, under the same id: at least once', async () => {
    channel.answer('nothing')
    const killed = await serverProcess(dataDir, channel.url)
    const id = await declare(killed)
    await expect.poll(() => channel.heard).toHaveLength(1)
    await killed.kill()
    channel.answer(200)

    await start({ notifiers: [webhook(channel.url)], pollMs: 50 })
    await vi.waitFor(() => expect(waitingIn(dataDir)).toHaveLength(1))
    expect(channel.heard).toHaveLength(1) // its lease holds
    endLeases(dataDir)
    await expect.poll(() => channel.heard).toHaveLength(2)
    const [first, second] = channel.heard
    expect([first?.id, first?.attempt, second?.id, second?.attempt]).toEqual([first?.id, 1, first?.id, 2])
    expect(second).toMatchObject({ intentId: id, event: 'intent.created' })
    await expect.poll(() => waitingIn(dataDir)).toEqual([])
  })

  it('refuses two of one name, and leaves nothing open', async () => {
    const twice = [webhook(channel.url), webhook(channel.url)]
    await expect(startServer({ dataDir, port: 0, dashboardDir: false, notifiers: twice })).rejects.toThrow(TypeError)
  })
})

interface Heard {
  readonly id: string
  readonly event: string
  readonly intentId: string
  readonly attempt: number
}
interface Receiver {
  readonly url: string
  readonly heard: readonly Heard[]
  /** From now on, also whoever still waits. */
  answer(status: number | 'nothing'): void
  close(): Promise<void>
}

/** Somebody's webhook, on loopback. */
async function receiver(): Promise<Receiver> {
  const heard: Heard[] = []
  const waiting = new Set<ServerResponse>()
  let status: number | 'nothing' = 200
  const server = createServer(async (request, response) => {
    heard.push(JSON.parse(await text(request)))
    waiting.add(response)
    settle()
  })
  function settle(): void {
    if (status === 'nothing') return
    for (const response of waiting) response.writeHead(status).end('an answer')
    waiting.clear()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    answer(now) {
      status = now
      settle()
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function start(options: ServerOptions): Promise<RunningServer> {
  const server = await startServer({ dataDir, port: 0, alg: 'EdDSA', dashboardDir: false, ...options })
  running.push(server)
  return server
}

async function declare({ url, secretKey }: { readonly url: string; readonly secretKey: string }): Promise<string> {
  const answer = await fetch(`${url}/api/intents`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secretKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(REFUND),
  })
  return (await answer.json()).id
}

function waitingIn(folder: string): readonly unknown[] {
  using database = new DatabaseSync(path.join(folder, 'gate.db'), { readOnly: true })
  return database.prepare('select attempts, due_at from outbox_deliveries').all()
}

/** Instead of waiting for half a minute. */
function endLeases(folder: string): void {
  using database = new DatabaseSync(path.join(folder, 'gate.db'), { timeout: 5000 })
  database.exec('update outbox_deliveries set due_at = 0')
}

async function serverProcess(folder: string, receiverUrl: string) {
  const here = import.meta.dirname
  const sources = process.env.SA_DIST
    ? []
    : ['--conditions=@silentauth/source', '--import', path.join(here, 'sources.mjs')]
  const child = spawn(process.execPath, [...sources, path.join(here, 'server-process.mjs'), folder, receiverUrl], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve)
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })
  return {
    ...(JSON.parse(line) as { url: string; secretKey: string }),
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
