/**
 * A notifier tells one channel of events: a log, a chat, a webhook. It may be slow, hang or fail; no decision waits for it,
 * and none is lost by it.
 *
 * @module
 */
import type { IntentId, ProjectId } from './id.js'
import type { IntentStatus, SourceType } from './intent.js'
import type { EpochMs } from './json.js'
import type { RiskTier } from './risk.js'

export interface Notifier {
  /** Of the channel: what it has still to hear of is kept under this name, also while no process knows it. */
  readonly name: string
  /**
   * Resolves once the channel has the event. What rejects is tried again later; an error with `retryAfterSeconds` says how
   * much later at least. Called more than once with the same event when an answer was lost.
   *
   * @param options.signal aborts when the time is up or the gate closes
   */
  notify(event: NotifierEvent, options: { readonly signal: AbortSignal }): Promise<void>
}

/** A hint, without params: who wants more reads the intent. */
export interface NotifierEvent {
  /** The same in every attempt, and for every channel. */
  readonly id: string
  readonly event: string
  readonly projectId: ProjectId
  readonly intentId: IntentId
  /** Grows with the events of one intent, with gaps: events may come in another order. */
  readonly sequence: number
  readonly createdAt: EpochMs
  /** From 1. */
  readonly attempt: number
  readonly action: string
  readonly source: string | undefined
  readonly sourceType: SourceType
  readonly riskTier: RiskTier
  /** As it is now. */
  readonly status: IntentStatus
}
