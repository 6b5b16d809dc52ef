/**
 * File descriptors: each waiting client holds one, and a server that runs out of them can no longer open its own database.
 *
 * @module
 */
import type { Logger } from 'pino'

/** For everything besides waiting clients. */
const RESERVE = 500

/** Warns at the start; undefined where the system has no such limit. */
export function warnOfFewDescriptors(logger: Logger, maxWaiters: number, limit = descriptorLimit()): void {
  if (limit === undefined || limit >= maxWaiters + RESERVE) return
  logger.warn(
    { descriptors: limit, max_waiters: maxWaiters },
    'few file descriptors: raise `ulimit -n`, or lower maxWaiters',
  )
}

function descriptorLimit(): number | undefined {
  const { report } = process
  // Otherwise the report looks up the names of all peers.
  Object.assign(report, { excludeNetwork: true })
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } }
  const soft = userLimits?.open_files?.soft
  return typeof soft === 'number' ? soft : undefined
}
