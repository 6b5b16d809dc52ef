/**
 * What all pages share: the session, the gate behind HTTP, its clock, live updates, announcements. Made once, in `main.tsx`.
 *
 * @module
 */

import type { EpochMs } from '@silentauth/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react'
import type { Announcer } from './announcer.js'
import type { Api } from './api.js'
import type { Clock } from './clock.js'
import { liveUpdates } from './live.js'
import type { SessionKeeper, SessionState } from './session.js'
import type { SignIn } from './sign-in.js'

export interface Services {
  readonly session: SessionKeeper
  readonly signIn: SignIn
  readonly api: Api
  readonly clock: Clock
  readonly announcer: Announcer
}

const ServicesContext = createContext<Services | undefined>(undefined)
const LiveContext = createContext(false)

export function ServicesProvider({ services, children }: { services: Services; children: ReactNode }) {
  return <ServicesContext value={services}>{children}</ServicesContext>
}

export function useServices(): Services {
  const services = useContext(ServicesContext)
  if (!services) throw new TypeError('outside of ServicesProvider')
  return services
}

export function useSession(): SessionState {
  const { session } = useServices()
  return useSyncExternalStore(session.subscribe, session.state)
}

/** The gate's time, once a second. */
export function useNow(): EpochMs {
  const { clock } = useServices()
  return useSyncExternalStore(clock.subscribe, clock.now)
}

/** Streams while it is mounted, which is while somebody is signed in. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const { api } = useServices()
  const queries = useQueryClient()
  const [connected, setConnected] = useState(false)
  useEffect(() => {
    const live = liveUpdates({
      open: (signal) => api.events(signal),
      onHint() {
        void queries.invalidateQueries({ queryKey: ['inbox'] })
        void queries.invalidateQueries({ queryKey: ['review'] })
      },
      channel: new BroadcastChannel('silentauth.live'),
      locks: navigator.locks,
      page: document,
    })
    const stop = live.subscribe(() => setConnected(live.connected()))
    return () => {
      stop()
      live[Symbol.dispose]()
    }
  }, [api, queries])
  return <LiveContext value={connected}>{children}</LiveContext>
}

/** E-mail of who is signed in; undefined until it is known. */
export function useWhoAmI(): string | undefined {
  const { api } = useServices()
  const { data } = useQuery({
    queryKey: ['session'],
    queryFn: ({ signal }) => api.whoAmI(signal),
    staleTime: Number.POSITIVE_INFINITY,
  })
  return data?.email
}

/** Whether changes are being pushed. */
export function useConnected(): boolean {
  return useContext(LiveContext)
}

/** How often to ask while nothing is pushed, and how often anyway, in case a hint got lost. */
export function usePollMs(): number {
  return useConnected() ? 60_000 : 5_000
}
