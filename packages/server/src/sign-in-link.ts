/**
 * Sign-in links: the token is in the fragment, which browsers send to nobody, so that no log and no proxy ever has it.
 *
 * @module
 */
import type { ProjectId, Store, UserId } from '@silentauth/core'
import { issueSignInToken } from './session.js'

/** Pages of ours: a link must not be able to lead anywhere else. */
const OWN_PAGE = /^\/inbox(?:\/int_[0-9a-z]{1,64})?$/

/**
 * `<public url>/sign-in#token=…&next=…`, for ten minutes and one use.
 *
 * @param next the page after it. @default '/inbox'
 * @throws SilentAuthError `NOT_FOUND` for somebody who is not active in this project; TypeError for a page that is none of ours
 */
export async function signInLink(
  where: { readonly store: Store; readonly projectId: ProjectId; readonly publicUrl: string },
  person: UserId,
  next = '/inbox',
): Promise<string> {
  if (!OWN_PAGE.test(next)) throw new TypeError('next must be /inbox or /inbox/<intent id>')
  const token = await issueSignInToken(where, person)
  return `${where.publicUrl}/sign-in#token=${token}&next=${next}`
}
