/**
 * The sign-in page: what becomes of a link, and how to get a fresh one.
 *
 * @module
 */
import { useEffect, useSyncExternalStore } from 'react'
import { useLocation } from 'wouter'
import { Button } from './button.js'
import { messages } from './messages.js'
import { useServices } from './services.js'
import { mayRetry } from './sign-in.js'
import { StatePage } from './state-page.js'

export function SignInPage() {
  const { signIn } = useServices()
  const state = useSyncExternalStore(signIn.subscribe, signIn.state)
  const [, go] = useLocation()
  const text = messages.signIn
  const next = state.type === 'done' ? state.next : undefined
  useEffect(() => {
    document.title = messages.product
    if (next !== undefined) go(next, { replace: true })
  }, [next, go])
  switch (state.type) {
    case 'working':
    case 'done':
      return (
        <StatePage icon="gate" title={text.title}>
          <p role="status">{text.working}</p>
        </StatePage>
      )
    case 'empty':
      return (
        <StatePage icon="lock" title={text.emptyTitle}>
          <p>{text.empty}</p>
          <FreshLink />
        </StatePage>
      )
    case 'failed': {
      if (mayRetry(state.code)) {
        return (
          <StatePage icon="warning" title={text.unavailableTitle}>
            <p role="alert">{text.unavailable}</p>
            <p className="mt-4">
              <Button onClick={signIn.retry}>{messages.tryAgain}</Button>
            </p>
          </StatePage>
        )
      }
      const refused = state.code === 'FORBIDDEN'
      return (
        <StatePage icon="warning" title={refused ? text.refusedTitle : text.failedTitle}>
          <p role="alert">{refused ? text.refused : text.failed}</p>
          <FreshLink />
        </StatePage>
      )
    }
  }
}

export function FreshLink() {
  const text = messages.signIn
  return (
    <section aria-labelledby="fresh" className="mt-6 rounded-xl border border-line bg-surface p-4 text-left text-ink">
      <h2 id="fresh" className="font-semibold">
        {text.freshTitle}
      </h2>
      <ul className="mt-2 space-y-2">
        {text.fresh.map(({ command, says }) => (
          <li key={command}>
            <code className="value rounded bg-sunken px-1.5 py-0.5 inset-ring inset-ring-line">{command}</code> {says}
          </li>
        ))}
      </ul>
      <p className="label mt-3">{text.operator}</p>
    </section>
  )
}
