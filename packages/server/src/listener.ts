/**
 * A listener: an HTTP server on a port, whose app may come a moment after the port is known, and which closes within a
 * bound whatever its clients do.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { GateApp } from './gate-app.js'

export interface Listener {
  readonly port: number
  /** Until then every request is answered 503. */
  serve(app: GateApp): void
  /** Answers whoever waits with what is true now, lets requests finish, and cuts what is left after `timeoutMs`. */
  close(timeoutMs: number): Promise<void>
}

/** A client sends its request in this time, whatever the wait for the answer. */
const REQUEST_TIMEOUT_MS = 30_000
const HEADERS_TIMEOUT_MS = 15_000
/** How often a closing server looks for connections that have become idle. */
const IDLE_CHECK_MS = 25

/** @throws Error when it cannot listen there; the message says what to do */
export async function listen({ port, host }: { port: number; host: string }): Promise<Listener> {
  let app: GateApp | undefined
  const answer = getRequestListener(
    (request, env) =>
      app ? app.fetch(request, { ...env, ownsResponse: true } as Parameters<GateApp['fetch']>[1]) : starting(),
    // The process may be somebody's own: its Request and Response stay as they are.
    { overrideGlobalObjects: false },
  )
  /** Requests under way on each open socket. */
  const sockets = new Map<Socket, number>()
  const count = (socket: Socket, change: number): void => {
    const before = sockets.get(socket)
    if (before !== undefined) sockets.set(socket, before + change)
  }
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS },
    (incoming, outgoing) => {
      const { socket } = incoming
      count(socket, 1)
      outgoing.once('close', () => count(socket, -1))
      void answer(incoming, outgoing)
    },
  )
  server.on('connection', (socket) => {
    sockets.set(socket, 0)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    // Whoever starts the server in a process of their own can still ask for the system's code.
    const { code } = cause as NodeJS.ErrnoException
    throw Object.assign(new Error(whyNot(cause, port, host), { cause }), { code })
  }

  return {
    port: (server.address() as AddressInfo).port,
    serve(given) {
      app = given
    },
    async close(timeoutMs) {
      const closed = once(server, 'close')
      server.close()
      app?.waiters.drain()
      // Node's own `closeIdleConnections` leaves those on which nothing was asked yet, and browsers open some ahead.
      const idle = setInterval(() => {
        for (const [socket, requests] of sockets) if (requests === 0) socket.destroySoon()
      }, IDLE_CHECK_MS)
      const cut = setTimeout(() => server.closeAllConnections(), timeoutMs)
      await closed
      clearInterval(idle)
      clearTimeout(cut)
    },
  }
}

function starting(): Response {
  return new Response(null, { status: 503, headers: { 'retry-after': '1' } })
}

function whyNot(cause: unknown, port: number, host: string): string {
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return `port ${port} of ${host} is taken: end what listens there, or choose another port`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine: choose another host`
    case 'EACCES':
      return `this user may not listen on port ${port} of ${host}: choose another port`
    default:
      return `nothing can listen on port ${port} of ${host}: ${cause instanceof Error ? cause.message : 'it failed'}`
  }
}
