/**
 * The frame of all pages: header, routes, and who may see them.
 *
 * @module
 */
import { useEffect, useRef, useSyncExternalStore } from 'react'
import { Link, Redirect, Route, Switch, useLocation } from 'wouter'
import { FaultBoundary } from './fault-boundary.js'
import { Icon } from './icons.js'
import { InboxPage } from './inbox-page.js'
import { messages } from './messages.js'
import { ReviewPage } from './review-page.js'
import { LiveProvider, useConnected, useServices, useSession, useWhoAmI } from './services.js'
import { SIGN_IN_PATH } from './sign-in.js'
import { SignInPage } from './sign-in-page.js'
import { SignedOutPage } from './signed-out-page.js'
import { Loading, StatePage } from './state-page.js'

export function App() {
  const state = useSession()
  const [path] = useLocation()
  return (
    <>
      {path === SIGN_IN_PATH ? (
        <Frame>
          <SignInPage />
        </Frame>
      ) : state.type === 'in' ? (
        // Another session, another person: nothing of the former stays on the screen.
        <LiveProvider key={state.session.secret}>
          <Frame live>
            <Pages />
          </Frame>
        </LiveProvider>
      ) : (
        <Frame>{state.type === 'out' ? <SignedOutPage why={state.why} /> : <Loading />}</Frame>
      )}
      <Announcements />
    </>
  )
}

function Pages() {
  return (
    <Switch>
      <Route path="/">
        <Redirect to="/inbox" replace />
      </Route>
      <Route path="/inbox">
        <InboxPage />
      </Route>
      <Route path="/inbox/:id">{({ id }) => <ReviewPage id={id} />}</Route>
      <Route>
        <StatePage icon="warning" title={messages.notFoundPage.title}>
          <Link href="/inbox" className="font-semibold text-gate underline underline-offset-3">
            {messages.notFoundPage.toInbox}
          </Link>
        </StatePage>
      </Route>
    </Switch>
  )
}

function Frame({ live = false, children }: { live?: boolean; children: React.ReactNode }) {
  const main = useRef<HTMLElement>(null)
  const [path] = useLocation()
  const before = useRef(path)
  useEffect(() => {
    // A new page begins at its top, for eyes and for screen readers; a first one where the browser puts it.
    if (before.current === path) return
    before.current = path
    main.current?.focus({ preventScroll: true })
    scrollTo(0, 0)
  }, [path])
  return (
    <>
      <a
        href="#main"
        className="sr-only rounded bg-surface px-3 py-2 font-semibold focus:not-sr-only focus:absolute focus:top-2 focus:left-2 focus:z-20"
      >
        {messages.skip}
      </a>
      <header className="sticky top-0 z-10 border-b border-line bg-page">
        <div className="mx-auto flex h-14 max-w-6xl items-center justify-between gap-4 px-4 sm:px-6">
          <Link href="/inbox" className="flex items-center gap-2 rounded font-semibold">
            <span className="grid size-7 place-items-center rounded-lg bg-gate text-on-gate">
              <Icon name="gate" className="size-5" />
            </span>
            {messages.product}
          </Link>
          {live && <Account />}
        </div>
      </header>
      <main
        id="main"
        ref={main}
        tabIndex={-1}
        className="mx-auto max-w-6xl px-4 pt-5 pb-16 outline-none sm:px-6 sm:pt-7"
      >
        {/* A fault of one page does not follow to the next. */}
        <FaultBoundary key={path}>{children}</FaultBoundary>
      </main>
    </>
  )
}

function Account() {
  const { api, session } = useServices()
  const connected = useConnected()
  const email = useWhoAmI()
  const text = messages.live
  const leave = async () => {
    // Forgotten here whatever the gate says: it may be out of reach.
    await api.signOut().catch(() => undefined)
    session.leave()
  }
  return (
    <div className="flex min-w-0 items-center gap-3 sm:gap-4">
      <span
        className="flex items-center gap-1.5 text-[0.8125rem] text-soft"
        title={connected ? text.onLong : text.offLong}
        data-live={connected}
      >
        <span
          className={`size-2 rounded-full ${connected ? 'bg-gate' : 'inset-ring-2 inset-ring-edge'}`}
          aria-hidden="true"
        />
        <span className="max-sm:sr-only">{connected ? text.on : text.off}</span>
      </span>
      {email && (
        <span className="truncate text-[0.875rem]" title={messages.signedInAs(email)}>
          <span className="sr-only">{messages.signedInAs('')}</span>
          {email}
        </span>
      )}
      <button
        type="button"
        onClick={() => void leave()}
        className="min-h-8 rounded px-1 text-[0.875rem] font-semibold whitespace-nowrap text-soft hover:text-ink"
      >
        {messages.signOut}
      </button>
    </div>
  )
}

function Announcements() {
  const { announcer } = useServices()
  const text = useSyncExternalStore(announcer.subscribe, announcer.text)
  return (
    <p role="status" aria-live="polite" className="sr-only">
      {text}
    </p>
  )
}
