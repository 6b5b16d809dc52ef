/**
 * Running again: a transaction that found a row taken, or that the database ended because it met another one, changed nothing
 * and may begin anew, a bounded number of times.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isConflict, MAX_RUNS } from '@silentauth/core'

/** How often a transaction is begun that the database ends for the sake of others. */
export const MAX_COLLISIONS = 10
const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 500

/** @param collides whether the database undid the transaction for a reason that passes */
export async function runAgain<Result>(
  run: () => Promise<Result>,
  collides: (error: unknown) => boolean = () => false,
): Promise<Result> {
  let conflicts = 0
  let collisions = 0
  for (;;) {
    try {
      return await run()
    } catch (error) {
      if (isConflict(error)) {
        if (++conflicts >= MAX_RUNS) throw error
      } else {
        if (!collides(error) || ++collisions >= MAX_COLLISIONS) throw error
        // Jitter: those that met must not meet again.
        await delay(Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** collisions))
      }
    }
  }
}
