/**
 * Comments are what people and agents leave beside a decision: text that every store keeps as it is.
 *
 * @module
 */
import { SilentAuthError } from './errors.js'

export const MAX_COMMENT_LENGTH = 2000

/** @throws SilentAuthError `INVALID_FIELD` for more than 2,000 characters, U+0000 or a lone surrogate */
export function requireComment(comment: string | undefined, field = 'comment'): void {
  if (comment === undefined) return
  if (!isStorableText(comment, MAX_COMMENT_LENGTH)) {
    throw new SilentAuthError('INVALID_FIELD', `${field} is over ${MAX_COMMENT_LENGTH} characters or not plain text`, {
      field,
    })
  }
}

/** No U+0000 (PostgreSQL refuses it), no lone surrogate (becomes U+FFFD). */
export function isStorableText(text: unknown, maxLength: number): text is string {
  return typeof text === 'string' && text.length <= maxLength && text.isWellFormed() && !text.includes('\0')
}
