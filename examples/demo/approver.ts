/**
 * An approver who decides without a browser, for the unattended demo: signs in with the link, reads the review, computes
 * the hash of what it was shown, and votes. An agent's key could do none of this.
 */
import { intentHash, type View } from '@silentauth/core'

export interface Approver {
  decide(intentId: string, verdict: 'approve' | 'deny'): Promise<void>
}

export async function signIn(signInUrl: string): Promise<Approver> {
  const { origin, hash } = new URL(signInUrl)
  const post = (route: string, body: object, headers: Record<string, string> = {}) =>
    fetch(new URL(route, origin), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })

  const signedIn = await post('/api/session', { token: new URLSearchParams(hash.slice(1)).get('token') })
  if (!signedIn.ok) throw new Error(`the sign-in link was not accepted: ${signedIn.status}`)
  const { data } = (await signedIn.json()) as { data: { session: string } }
  const cookie = signedIn.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ')
  const credentials = { cookie, 'x-sa-session': data.session }

  return {
    async decide(intentId, verdict) {
      const answer = await fetch(new URL(`/api/inbox/${intentId}`, origin), { headers: credentials })
      const { data: review } = (await answer.json()) as { data: { view: View } }
      const voted = await post(
        `/api/inbox/${intentId}/${verdict}`,
        { intent_hash: intentHash(review.view), comment: `${verdict}, says the unattended demo` },
        credentials,
      )
      if (!voted.ok) throw new Error(`the vote was not accepted: ${await voted.text()}`)
    },
  }
}
