/**
 * Dead letters are deliveries that were given up: their channel failed every time. Whoever operates the gate sees them, and
 * asks for another round once the channel is well again.
 *
 * @module
 */
import type { Engine } from './engine.js'
import type { DeadDelivery, DeliveryCounts } from './outbox.js'

export interface DeadLetters {
  /** Per channel: how many deliveries wait, and how many were given up. */
  counts(): Promise<readonly DeliveryCounts[]>
  /** Those of the oldest events first. @param query.limit @default 100 */
  list(query?: {
    readonly channel?: string | undefined
    readonly limit?: number | undefined
  }): Promise<readonly DeadDelivery[]>
  /**
   * Tries all of a channel again, with every attempt that a new delivery has, under the ids that they had.
   *
   * @param actor who asked for it, as the log names it
   * @returns how many
   */
  redrive(actor: string, channel: string): Promise<number>
}

const BATCH = 500

/** @param wake is called when there is something to deliver */
export function deadLetters({ store, projectId, write }: Engine, wake: () => void): DeadLetters {
  return {
    counts: () => store.deliveryCounts(projectId),
    list: ({ channel, limit = 100 } = {}) => store.deadDeliveries({ projectId, channel, limit }),
    async redrive(actor, channel) {
      let total = 0
      for (;;) {
        const redriven = await write(async ({ tx, now, leaf }) => {
          const count = await tx.redriveDeliveries({ projectId, channel, now, limit: BATCH })
          if (count > 0) {
            await leaf(actor, [{ type: 'outbox.redriven', intentId: undefined, data: { channel, deliveries: count } }])
          }
          return count
        })
        total += redriven
        if (redriven > 0) wake()
        if (redriven < BATCH) return total
      }
    },
  }
}
