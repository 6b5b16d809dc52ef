/**
 * Changes: how the nodes over one database hear of each other's commits. What is heard is only a hint, which may be lost: the row
 * is the truth, and whoever waits reads again from time to time.
 *
 * @module
 */
import type { IntentId } from './id.js'

export interface Changes {
  /** Tells the other nodes, some milliseconds later and many at once. Call it after the commit. Never fails. */
  publish(ids: readonly IntentId[]): void
  /**
   * @param listener gets ids of intents that a node changed, this one included
   * @param catchUp is called whenever some may have been missed: what is waited for must be read again
   * @returns a function that ends it
   */
  subscribe(listener: (ids: readonly IntentId[]) => void, catchUp: () => void): () => void
}
