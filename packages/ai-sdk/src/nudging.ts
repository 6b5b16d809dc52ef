/**
 * Nudges: asking a server again whether something that waits was decided. Where one does not come through, the next one does.
 *
 * @module
 */

/** @returns what ends it */
export function nudging(nudge: () => Promise<unknown>, everyMs: number): () => void {
  const timer = setInterval(() => void nudge().catch(() => undefined), everyMs)
  return () => clearInterval(timer)
}
