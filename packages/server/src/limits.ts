/**
 * Limits: what one client may take of the gate. Intents that wait for a decision are limited by core's `localGate`.
 *
 * @module
 */
export interface Limits {
  /** Per key; 0: no limit. @default 60 */
  readonly declaresPerMinute: number
  /** Clients that wait at the same time, long-polls and streams together. @default 10_000 */
  readonly maxWaiters: number
  /** Per key or person. @default a tenth of `maxWaiters` */
  readonly maxWaitersPerPrincipal?: number | undefined
}

export const DEFAULT_LIMITS: Limits = { declaresPerMinute: 60, maxWaiters: 10_000 }
