/**
 * The log of deliveries that failed: which notifier, which event, and when it is tried again. Not what a receiver answered, nor
 * its address: either may hold a secret.
 *
 * @module
 */
import type { DeliveryFailure } from '@silentauth/core'
import type { Logger } from 'pino'

export function deliveryLog(logger: Logger): (failure: DeliveryFailure) => void {
  return ({ notifier, eventId, attempt, error, retryAt }) => {
    const line = { notifier, eventId, attempt, reason: reasonOf(error) }
    if (retryAt === undefined) logger.error(line, 'a delivery was given up')
    else logger.warn({ ...line, retryAt: new Date(retryAt).toISOString() }, 'a delivery failed')
  }
}

/** A code of ours or of the system, else the name of the error. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const { code } = error as { code?: unknown }
  const { code: below } = (error.cause ?? {}) as { code?: unknown }
  const known = [code, below].find((each) => typeof each === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(each))
  return typeof known === 'string' ? known : error.name
}
