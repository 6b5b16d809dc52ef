/**
 * What went wrong, for a person: our own sentence where there is one, else the gate's message and its hint.
 *
 * @module
 */
import { isSilentAuthError } from '@silentauth/core'
import { messages } from './messages.js'

/** One or two sentences. */
export function explain(error: unknown): readonly string[] {
  if (!isSilentAuthError(error)) return [messages.error.lead]
  const own = (messages.error as Readonly<Record<string, string>>)[error.code]
  if (own !== undefined) return [own]
  // The reader knows which intent this is about.
  const message = error.message
    .replace(`${error.code}: `, '')
    .replace(/^int_\w+: /, '')
    .trim()
  return message === '' ? [error.hint] : [sentence(message), error.hint]
}

function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}
