/**
 * A page cursor names the last intent of a page: the next page begins after it, however many intents were declared
 * meanwhile. The same text on every store.
 *
 * @module
 */
import { SilentAuthError } from './errors.js'
import type { IntentId } from './id.js'
import type { EpochMs } from './json.js'

export interface PagePosition {
  readonly createdAt: EpochMs
  readonly id: IntentId
}

export function pageCursor({ createdAt, id }: PagePosition): string {
  return `${createdAt}.${id}`
}

/** @throws SilentAuthError `INVALID_FIELD` for what no page gave */
export function parsePageCursor(cursor: string): PagePosition {
  const [, createdAt, id] = CURSOR.exec(cursor) ?? []
  if (createdAt === undefined || id === undefined) {
    throw new SilentAuthError('INVALID_FIELD', 'cursor is not of an earlier page', { field: 'cursor' })
  }
  return { createdAt: Number(createdAt), id: id as IntentId }
}

const CURSOR = /^(\d{1,15})\.(int_[\w-]{1,64})$/
