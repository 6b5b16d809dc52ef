/**
 * Wait routes: one intent by long-poll and as a stream, the inbox as a stream. Each registers before it reads for the last
 * time, so that no decision falls between; each asks again, whenever it is woken and every minute, whether its credential
 * still holds.
 *
 * @module
 */
import { type Intent, type IntentId, isSettled, type LocalGate } from '@silentauth/core'
import { inboxItemToWire, intentToWire } from '@silentauth/core/wire'
import { z } from 'zod'
import { inboxItemData, intentData } from './answer-forms.js'
import { type Answer, dataAnswer, errorAnswer } from './answers.js'
import type { Credentials, SignedKey } from './credential.js'
import { type Connection, type EventStream, holdAnswer, openStream } from './held-response.js'
import { waitQuery } from './request-forms.js'
import { type Held, type Route, route } from './route-table.js'
import type { SignedIn } from './session.js'
import type { Waiters } from './waiters.js'

export interface WaitRoutesOptions {
  readonly gate: LocalGate
  readonly credentials: Credentials
  readonly waiters: Waiters
}

export function waitRoutes(options: WaitRoutesOptions): readonly Route[] {
  const { gate } = options
  return [
    route({
      method: 'GET',
      path: '/api/intents/{id}',
      access: 'agent',
      summary: 'One intent; with `wait`, at once when it is settled, else after at most so many seconds.',
      query: waitQuery,
      data: intentData,
      errors: ['NOT_FOUND', 'AGENT_REVOKED', 'TOO_MANY_WAITERS'],
      async handle({ who, intentId, query: { wait = 0 }, connection }) {
        const intent = await gate.gateFor(who.principal).read(intentId)
        const answersNow = isSettled(intent) || wait === 0 || isHead(connection) || options.waiters.draining
        if (answersNow) return { data: intentToWire(intent) }
        return { held: longPoll(options, who, intentId, wait * 1000, connection) }
      },
    }),

    route({
      method: 'GET',
      path: '/api/intents/{id}/events',
      access: 'agent',
      summary:
        'One intent as server-sent events: `intent` with its current state first, and the last when it is settled.',
      stream: true,
      data: intentData,
      errors: ['NOT_FOUND', 'AGENT_REVOKED', 'TOO_MANY_WAITERS'],
      async handle({ who, intentId, connection }) {
        const intent = await gate.gateFor(who.principal).read(intentId)
        if (isHead(connection)) return { data: intentToWire(intent) }
        return intentEvents(options, who, intent, connection)
      },
    }),

    route({
      method: 'GET',
      path: '/api/inbox/events',
      access: 'person',
      summary:
        'The inbox as server-sent events: `inbox` with the list first and whenever it changed, `change` with ids.',
      stream: true,
      data: z.array(inboxItemData),
      errors: ['TOO_MANY_WAITERS'],
      async handle({ who, connection }) {
        const first = await inboxAnswer(gate, who)
        if (isHead(connection)) return { data: [] }
        return inboxEvents(options, who, first, connection)
      },
    }),
  ]
}

function longPoll(
  { gate, waiters }: WaitRoutesOptions,
  { principal }: SignedKey,
  intentId: IntentId,
  waitMs: number,
  connection: Connection,
): Response | Promise<Response> {
  const { response, send, onClose } = holdAnswer(connection)
  // Only what is needed to answer stays alive: thousands may wait at once.
  const { id: requestId } = connection
  let reading = false
  let again = false
  let over = false

  const leave = (): void => {
    over = true
    clearTimeout(timer)
    remove()
  }
  const finish = (answer: Answer): void => {
    leave()
    send(waiters.draining ? { ...answer, headers: { ...answer.headers, connection: 'close' } } : answer)
  }
  const look = async (isLast: boolean): Promise<void> => {
    if (isLast) over = true
    try {
      // Refused when the key was disabled, or the agent revoked, meanwhile.
      const intent = await gate.gateFor(principal).watch(intentId)
      if (isLast || isSettled(intent)) finish(dataAnswer({ data: intentToWire(intent) }))
    } catch (error) {
      finish(errorAnswer(error, requestId))
    }
  }
  /** One read at a time: what changes meanwhile is read after it. */
  const wake = async (): Promise<void> => {
    if (over) return
    again = true
    if (reading) return
    reading = true
    while (again && !over) {
      again = false
      await look(false)
    }
    reading = false
  }

  const remove = waiters.add({
    principal: principal.id,
    intentId,
    wake: () => void wake(),
    recheck: () => void wake(),
    drain: () => void look(true),
  })
  const timer = setTimeout(() => void look(true), waitMs)
  onClose(leave)
  // Decided between the first read and now: do not sleep through it.
  void wake()
  return response
}

function intentEvents(
  { gate, waiters }: WaitRoutesOptions,
  { principal }: SignedKey,
  first: Intent,
  connection: Connection,
): Held {
  let sent = ''
  const show = (stream: EventStream, intent: Intent): void => {
    const { body } = dataAnswer({ data: intentToWire(intent) })
    if (body !== sent) stream.send('intent', body)
    sent = body
    if (isSettled(intent)) stream.end()
  }
  return streamed({
    waiters,
    connection,
    principal: principal.id,
    intentId: first.id,
    first: (stream) => show(stream, first),
    async next(stream) {
      // Refused when the key was disabled, or the agent revoked, meanwhile.
      show(stream, await gate.gateFor(principal).watch(first.id))
    },
  })
}

function inboxEvents(
  { gate, credentials, waiters }: WaitRoutesOptions,
  who: SignedIn,
  first: string,
  connection: Connection,
) {
  let sent = first
  return streamed({
    waiters,
    connection,
    principal: who.principal.id,
    intentId: undefined,
    first: (stream) => stream.send('inbox', first),
    async next(stream, changed) {
      const now = await credentials.recheck(who)
      const body = await inboxAnswer(gate, now)
      if (changed.length > 0) stream.send('change', JSON.stringify({ ids: changed }))
      if (body !== sent) stream.send('inbox', body)
      sent = body
    },
  })
}

async function inboxAnswer(gate: LocalGate, { principal }: SignedIn): Promise<string> {
  const page = await gate.desk.inbox(principal)
  return dataAnswer({ data: page.items.map(inboxItemToWire), beside: { next_cursor: page.nextCursor ?? null } }).body
}

interface Streamed {
  readonly waiters: Waiters
  readonly connection: Connection
  readonly principal: string
  readonly intentId: IntentId | undefined
  first(stream: EventStream): void
  /** Asks whether the credential still holds, reads, and sends what is new. */
  next(stream: EventStream, changed: readonly IntentId[]): Promise<void>
}

/** Changes that come together are read together. */
const GATHER_MS = 30

function streamed({ waiters, connection, principal, intentId, first, next }: Streamed): Held {
  const changed = new Set<IntentId>()
  let timer: NodeJS.Timeout | undefined
  let reading = false
  let over = false

  const leave = (): void => {
    over = true
    clearTimeout(timer)
    remove()
  }
  const end = (): void => {
    leave()
    stream.end()
  }
  const look = async (): Promise<void> => {
    timer = undefined
    if (over || reading) return
    reading = true
    const ids = [...changed]
    changed.clear()
    try {
      await next(stream, ids)
    } catch (error) {
      if (!over) stream.send('error', errorAnswer(error, connection.id).body)
      end()
    }
    reading = false
    if (changed.size > 0) soon()
  }
  const soon = (): void => {
    timer ??= setTimeout(() => void look(), GATHER_MS)
  }
  const remove = waiters.add({
    principal,
    intentId,
    wake(id) {
      if (id !== undefined) changed.add(id)
      soon()
    },
    recheck: soon,
    beat: () => stream.beat(),
    drain: end,
  })
  const stream = openStream(connection)
  stream.onClose(leave)
  first(stream)
  if (waiters.draining) end()
  else soon()
  return { held: stream.response }
}

function isHead({ request }: Connection): boolean {
  return request.method === 'HEAD'
}
