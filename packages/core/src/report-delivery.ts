/**
 * Delivery of a report: one that is lost leaves an execution unknown, so it is tried again while the store is away, and a
 * gate that closes waits for those under way.
 *
 * @module
 */
import { isSilentAuthError } from './errors.js'
import { atMost, sleep } from './sleep.js'

export interface ReportDelivery {
  /** @throws what `send` threw, for good */
  deliver(send: () => Promise<unknown>): Promise<void>
  /** Resolves once nothing is under way, and after 5 s at the latest. */
  flush(): Promise<void>
}

const PAUSES_MS = [50, 250, 1000] as const
const FLUSH_MS = 5000

export function reportDelivery(): ReportDelivery {
  const underWay = new Set<Promise<void>>()
  return {
    async deliver(send) {
      const sending = untilSent(send)
      underWay.add(sending)
      await sending.finally(() => underWay.delete(sending))
    },
    flush: () => atMost(FLUSH_MS, Promise.allSettled(underWay)),
  }
}

async function untilSent(send: () => Promise<unknown>): Promise<void> {
  for (const pauseMs of PAUSES_MS) {
    try {
      await send()
      return
    } catch (error) {
      const away = isSilentAuthError(error) && (error.code === 'DB_ERROR' || error.code === 'AUDIT_UNAVAILABLE')
      if (!away) throw error
      await sleep(pauseMs, undefined)
    }
  }
  await send()
}
