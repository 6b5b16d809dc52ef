/**
 * Session routes: sign in with the token of a link, see who is signed in, sign out.
 *
 * @module
 */
import type { ProjectId, Store } from '@silentauth/core'
import { instant } from '@silentauth/core/wire'
import { serialize } from 'hono/utils/cookie'
import { z } from 'zod'
import { signInForm } from './request-forms.js'
import { type Route, route } from './route-table.js'
import { endSession, openSession, SESSION_SECONDS } from './session.js'
import type { Site } from './site.js'

export interface SessionRoutesOptions {
  readonly store: Store
  readonly projectId: ProjectId
  readonly site: Site
}

export function sessionRoutes({ store, projectId, site }: SessionRoutesOptions): readonly Route[] {
  const cookie = (value: string, maxAge: number): string =>
    serialize(site.cookieName, value, {
      httpOnly: true,
      maxAge,
      path: '/',
      sameSite: 'Strict',
      secure: site.secure,
    })

  return [
    route({
      method: 'POST',
      path: '/api/session',
      access: 'sign-in',
      summary: 'Signs in: the cookie is one half of the session, `session` (sent as `x-sa-session`) the other.',
      body: signInForm,
      data: z.strictObject({ session: z.string(), expires_at: z.string() }),
      errors: ['UNAUTHORIZED', 'FORBIDDEN'],
      async handle({ body: { token, client = 'browser' } }) {
        const opened = await openSession({ store, projectId }, token, client)
        return {
          data: { session: opened.secret, expires_at: instant(opened.session.expiresAt) },
          headers: { 'set-cookie': cookie(opened.cookie, SESSION_SECONDS) },
        }
      },
    }),

    route({
      method: 'GET',
      path: '/api/session',
      access: 'person',
      summary: 'Who is signed in.',
      data: z.strictObject({
        person: z.strictObject({ id: z.string(), email: z.string(), roles: z.array(z.string()) }),
        project_id: z.string(),
        via: z.string(),
        expires_at: z.string(),
      }),
      handle: ({ who: { person, session } }) => ({
        data: {
          person: { id: person.id, email: person.email, roles: [...person.roles] },
          project_id: person.projectId,
          via: session.via,
          expires_at: instant(session.expiresAt),
        },
      }),
    }),

    route({
      method: 'DELETE',
      path: '/api/session',
      access: 'person',
      summary: 'Signs out.',
      data: z.strictObject({ ended: z.literal(true) }),
      async handle({ who: { session } }) {
        await endSession({ store, projectId }, session)
        return { data: { ended: true as const }, headers: { 'set-cookie': cookie('', 0) } }
      },
    }),
  ]
}
