/**
 * Held responses: an answer, or a stream of events, that is written later. On Node's own server they are written on the raw
 * response, so that a waiting client costs half of what a promise with its request would; anywhere else they are ordinary
 * `Response` objects.
 *
 * @module
 */
import type { ServerResponse } from 'node:http'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Answer } from './answers.js'

/** What a request came in on. */
export interface Connection {
  /** Of the request. */
  readonly id: string
  /** Only where nothing between here and the socket rebuilds a response: a rebuilt one is sent at once, and empty. */
  readonly raw: ServerResponse | undefined
  readonly request: Request
  /** Go out with every answer. */
  readonly headers: Readonly<Record<string, string>>
}

export interface HeldAnswer {
  readonly response: Response | Promise<Response>
  /** Once; later calls do nothing. */
  send(answer: Answer): void
  /** The client went away, or was answered. */
  onClose(listener: () => void): void
}

export interface EventStream {
  readonly response: Response
  send(event: string, body: string): void
  /** A comment, so that proxies see a line in use. */
  beat(): void
  end(): void
  onClose(listener: () => void): void
}

export function holdAnswer({ raw, request, headers }: Connection): HeldAnswer {
  // Two functions, because the closures of one would keep the request alive for as long as its client waits.
  return raw ? rawAnswer(raw, headers) : promisedAnswer(request, headers)
}

function rawAnswer(raw: ServerResponse, headers: Connection['headers']): HeldAnswer {
  return {
    response: RESPONSE_ALREADY_SENT,
    send({ status, headers: own, body }) {
      if (raw.headersSent || raw.destroyed) return
      raw.writeHead(status, { ...own, ...headers, 'content-length': Buffer.byteLength(body) })
      raw.end(body)
    },
    onClose: (listener) => onRawClose(raw, listener),
  }
}

function promisedAnswer(request: Request, headers: Connection['headers']): HeldAnswer {
  const { promise, resolve } = Promise.withResolvers<Response>()
  return {
    response: promise,
    send: ({ status, headers: own, body }) => resolve(new Response(body, { status, headers: { ...own, ...headers } })),
    onClose: (listener) => onAbort(request, listener),
  }
}

/** The client may be gone before anybody listens. */
function onRawClose(raw: ServerResponse, listener: () => void): void {
  if (raw.destroyed) listener()
  else raw.once('close', listener)
}

function onAbort({ signal }: Request, listener: () => void): void {
  if (signal.aborted) listener()
  else signal.addEventListener('abort', listener, { once: true })
}

/** What a reader that does not read may pile up before it is cut off. */
const MAX_UNREAD_BYTES = 1024 * 1024

const STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
}

export function openStream({ raw, request, headers }: Connection): EventStream {
  if (raw) {
    raw.writeHead(200, { ...STREAM_HEADERS, ...headers })
    raw.flushHeaders()
    const write = (text: string): void => {
      if (raw.writableEnded || raw.destroyed) return
      if (raw.writableLength > MAX_UNREAD_BYTES) raw.destroy()
      else raw.write(text)
    }
    return {
      response: RESPONSE_ALREADY_SENT,
      send: (event, body) => write(eventText(event, body)),
      beat: () => write(BEAT),
      end: () => void raw.end(),
      onClose: (listener) => onRawClose(raw, listener),
    }
  }
  return openWebStream(request, headers)
}

/** Where there is no socket to write to: in process, or behind middleware that rebuilds responses. */
function openWebStream(request: Request, headers: Readonly<Record<string, string>>): EventStream {
  const closed = Promise.withResolvers<void>()
  let open = true
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given
      },
      cancel: () => close(),
    },
    { highWaterMark: MAX_UNREAD_BYTES, size: (chunk) => chunk.byteLength },
  )
  const close = (): void => {
    open = false
    closed.resolve()
  }
  const end = (): void => {
    if (!open) return
    close()
    controller?.close()
  }
  const write = (text: string): void => {
    if (!open) return
    if ((controller?.desiredSize ?? 0) <= 0) end()
    else controller?.enqueue(utf8.encode(text))
  }
  onAbort(request, end)
  return {
    response: new Response(body, { status: 200, headers: { ...STREAM_HEADERS, ...headers } }),
    send: (event, text) => write(eventText(event, text)),
    beat: () => write(BEAT),
    end,
    onClose: (listener) => void closed.promise.then(listener),
  }
}

const utf8 = new TextEncoder()
const BEAT = ':\n\n'

/** JSON has no line breaks of its own, so one data line holds it. */
function eventText(event: string, body: string): string {
  return `event: ${event}\ndata: ${body}\n\n`
}
