/**
 * The routes of the chat. Of what a browser sends they take the text of a new message and nothing else: which chat it is says a
 * cookie, and what was approved says the gate.
 */
import { randomUUID } from 'node:crypto'
import { serveStatic } from '@hono/node-server/serve-static'
import { type Context, Hono } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { csrf } from 'hono/csrf'
import { secureHeaders } from 'hono/secure-headers'
import { z } from 'zod'
import { keptChats } from './kept-chats.ts'
import { type RefundTurn, turnOf } from './turn.ts'

export interface ChatOptions extends Omit<RefundTurn, 'chats'> {
  /** Where the chats are kept. */
  folder: string
  /** The built page. */
  pages: string
}

/** Without a text: was it decided what waits? */
const question = z.object({ text: z.string().trim().min(1).max(2000).optional() })

export function chatApp({ folder, pages, ...agent }: ChatOptions): Hono {
  const chats = keptChats(folder)
  const app = new Hono()
  app.use(secureHeaders({ contentSecurityPolicy: { defaultSrc: ["'self'"], frameAncestors: ["'none'"] } }), csrf())
  // What a page shows after a reload: once a turn that may be under way has ended.
  app.get('/api/chat', async (c) => {
    const id = idOf(c)
    return c.json(await chats.alone(id, () => chats.load(id)))
  })
  app.post('/api/chat', async (c) => {
    const { data, success } = question.safeParse(await c.req.json().catch(() => undefined))
    if (!success) return c.text('a text has 1 to 2000 characters', 400)
    const id = idOf(c)
    return chats.alone(id, (until) => turnOf({ ...agent, chats }, id, data.text, until))
  })
  app.use(serveStatic({ root: pages }))
  return app
}

/** Whoever has the cookie has the chat. A real application has sessions and looks the chat up. */
function idOf(c: Context): string {
  const known = z.uuid().safeParse(getCookie(c, 'chat'))
  if (known.success) return known.data
  const id = randomUUID()
  setCookie(c, 'chat', id, { httpOnly: true, sameSite: 'Strict', path: '/' })
  return id
}
