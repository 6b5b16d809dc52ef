/**
 * Where the pages begin: the sign-in token is taken out of the address first of all, then everything is put together once.
 *
 * @module
 */
import { isSilentAuthError } from '@silentauth/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { announcer } from './announcer.js'
import { gateApi } from './api.js'
import { App } from './app.js'
import { gateClock } from './clock.js'
import { type Services, ServicesProvider } from './services.js'
import { sessionKeeper } from './session.js'
import { signIn } from './sign-in.js'
import './style.css'

const clock = gateClock()
const session = sessionKeeper({
  storage: sessionStorage,
  channel: new BroadcastChannel('silentauth.session'),
  now: Date.now,
})
const secret = (): string | undefined => {
  const state = session.state()
  return state.type === 'in' ? state.session.secret : undefined
}
const api = gateApi({
  fetch: (input, init) => fetch(input, init),
  secret,
  // An answer to an older secret says nothing about the one that is held now.
  onUnauthorized: (refused) => {
    if (refused === secret()) session.end()
  },
  onServerTime: clock.set,
})
const entrance = signIn({ exchange: api.signIn, begin: session.begin, location, history })
entrance.take()
// A link pasted over this page changes its fragment alone, and loads nothing.
addEventListener('hashchange', () => entrance.take())

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // Only what may pass: the gate's own refusals do not change by asking again.
      retry: (failures, error) => failures < 2 && isSilentAuthError(error) && error.code === 'GATE_UNAVAILABLE',
      refetchOnWindowFocus: true,
    },
  },
})
// Nobody reads what another session has read.
let before = secret()
session.subscribe(() => {
  if (secret() === before) return
  before = secret()
  queries.clear()
})

const services: Services = { session, signIn: entrance, api, clock, announcer: announcer() }
createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <ServicesProvider services={services}>
        <App />
      </ServicesProvider>
    </QueryClientProvider>
  </StrictMode>,
)
