/**
 * What stands in the place of every page while nobody is signed in. The address stays, so that a sign-in in another tab is
 * enough to see it.
 *
 * @module
 */
import { useEffect } from 'react'
import { Button } from './button.js'
import { messages } from './messages.js'
import { useServices } from './services.js'
import type { SessionState } from './session.js'
import { FreshLink } from './sign-in-page.js'
import { StatePage } from './state-page.js'

export function SignedOutPage({ why }: { why: Extract<SessionState, { type: 'out' }>['why'] }) {
  const { session } = useServices()
  const text = messages.signedOut
  useEffect(() => {
    document.title = messages.product
  }, [])
  return (
    <StatePage icon="lock" title={text[`${why}Title`]}>
      <p>{text[why]}</p>
      {why === 'ended' && (
        <p className="mt-4">
          {/* By choice: the other tab may be another person's. */}
          <Button onClick={session.ask}>{text.other}</Button>
        </p>
      )}
      <FreshLink />
    </StatePage>
  )
}
