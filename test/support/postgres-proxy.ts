/**
 * A proxy in front of PostgreSQL, on loopback: it behaves as poolers and broken networks do. Settings of a session get lost,
 * notifications never arrive, the answer to a commit is cut off.
 *
 * @module
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface PostgresProxy extends AsyncDisposable {
  /** Of the same database, through the proxy. */
  readonly url: string
  /** Parameters of a session that are not passed on. */
  readonly lostSettings: Set<string>
  /** Notifications do not come through, as behind a pooler of transactions. */
  loseNotifications: boolean
  /** The next commits take place, and their answers are cut off with the connection. */
  cutCommits: number
  /** Ends every connection. */
  cut(): void
  /** Connections that are open now. */
  readonly size: number
}

export async function postgresProxy(of: string): Promise<PostgresProxy> {
  const target = new URL(of)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    let commits = false
    const fromClient = messages({ startsPlain: true }, (message) => {
      if (message.type === undefined) return upstream.write(startup(message.bytes, proxy.lostSettings))
      if (message.type === 'Q' && proxy.cutCommits > 0 && /^commit\b/i.test(message.bytes.toString('utf8', 5))) {
        proxy.cutCommits--
        commits = true
      }
      return upstream.write(message.bytes)
    })
    const fromServer = messages({ startsPlain: false }, (message) => {
      // It has been answered, so it took place.
      if (commits) return client.destroy()
      if (message.type === 'A' && proxy.loseNotifications) return undefined
      return client.write(message.bytes)
    })
    client.on('data', fromClient)
    upstream.on('data', fromServer)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(of)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`

  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  const proxy: PostgresProxy = {
    url: url.href,
    lostSettings: new Set(),
    loseNotifications: false,
    cutCommits: 0,
    cut,
    get size() {
      return sockets.size / 2
    },
    async [Symbol.asyncDispose]() {
      server.close()
      cut()
      await once(server, 'close')
    },
  }
  return proxy
}

interface Message {
  /** Absent in the first of a client. */
  readonly type: string | undefined
  readonly bytes: Buffer
}

/** Cuts a stream into the messages of protocol 3: type, length, content; the first of a client has no type. */
function messages({ startsPlain }: { startsPlain: boolean }, each: (message: Message) => unknown) {
  let rest = Buffer.alloc(0)
  let plain = startsPlain
  return (chunk: Buffer): void => {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const header = plain ? 0 : 1
      if (rest.length < header + 4) return
      const length = header + rest.readInt32BE(header)
      if (rest.length < length) return
      const bytes = rest.subarray(0, length)
      rest = rest.subarray(length)
      each({ type: plain ? undefined : String.fromCharCode(bytes[0] ?? 0), bytes })
      plain = false
    }
  }
}

/** Length, protocol, then names and values that end in a zero byte, then one more. */
function startup(bytes: Buffer, lost: ReadonlySet<string>): Buffer {
  const texts = bytes.toString('utf8', 8).split('\0')
  const kept: string[] = []
  for (let at = 0; at + 1 < texts.length && texts[at] !== ''; at += 2) {
    if (!lost.has(texts[at] ?? '')) kept.push(texts[at] ?? '', texts[at + 1] ?? '')
  }
  const body = Buffer.from(`${kept.map((text) => `${text}\0`).join('')}\0`)
  const head = Buffer.alloc(8)
  head.writeInt32BE(8 + body.length, 0)
  bytes.copy(head, 4, 4, 8)
  return Buffer.concat([head, body])
}
