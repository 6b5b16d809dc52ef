/**
 * The outbox: events on their way to channels. An event is written with the change that it tells of, and with one delivery for
 * each channel that is to hear of it, so that no channel waits for another.
 *
 * @module
 */
import type { IntentId, ProjectId } from './id.js'
import type { EpochMs } from './json.js'
import type { LifecycleEvent, State } from './state.js'

/** One event. At least once and unordered: receivers tell repetitions by `id`, and what came later by `sequence`. */
export interface OutboxEvent {
  readonly id: string
  readonly projectId: ProjectId
  readonly intentId: IntentId
  readonly event: string
  /** Grows with the events of one intent, with gaps. */
  readonly sequence: number
  readonly createdAt: EpochMs
}

export interface OutboxRow extends OutboxEvent {
  /** Names of the channels that are to hear of it; each has a delivery of its own. */
  readonly channels: readonly string[]
}

/** One event on its way to one channel, in the hands of whoever claimed it. */
export interface ClaimedDelivery {
  readonly event: OutboxEvent
  readonly channel: string
  /** How often it was claimed, this time included: tells whether somebody has claimed it since. */
  readonly attempts: number
}

export interface ChannelOf {
  readonly projectId: ProjectId
  readonly channel: string
}

export interface DeliveryClaim extends ChannelOf {
  readonly now: EpochMs
  /** Nobody else gets them for so long; then they are due again. */
  readonly leaseMs: number
  readonly limit: number
}

export type DeliveryEnd =
  | { readonly type: 'delivered' }
  | { readonly type: 'again'; readonly dueAt: EpochMs }
  /** Not tried again unless somebody asks for it; kept until it is pruned. */
  | { readonly type: 'dead' }

/** A delivery that was given up. */
export interface DeadDelivery {
  readonly event: OutboxEvent
  readonly channel: string
  /** How often it was claimed. */
  readonly attempts: number
}

export interface DeadQuery {
  readonly projectId: ProjectId
  /** Undefined: of every channel. */
  readonly channel?: string | undefined
  readonly limit: number
}

export interface Redrive extends ChannelOf {
  /** When they are due. */
  readonly now: EpochMs
  readonly limit: number
}

export interface DeliveryCounts {
  readonly channel: string
  readonly waiting: number
  readonly dead: number
}

/** Events that channels and webhooks hear of. */
const ANNOUNCED: ReadonlySet<LifecycleEvent['type']> = new Set<LifecycleEvent['type']>([
  'intent.created',
  'intent.approved',
  'intent.denied',
  'intent.expired',
  'intent.cancelled',
  'intent.changes_requested',
  'intent.superseded',
  'execution.reported',
])

export function isAnnounced({ type }: LifecycleEvent): boolean {
  return ANNOUNCED.has(type)
}

/** An intent is created, settled once, and then reported on: by up to three, in each run. */
export function sequenceOf(type: LifecycleEvent['type'], { execution }: Pick<State, 'execution'>): number {
  if (type === 'intent.created') return 1
  if (type !== 'execution.reported') return 2
  return 2 + 3 * (execution.grants ?? 0) + Object.keys(execution.reports ?? {}).length
}
