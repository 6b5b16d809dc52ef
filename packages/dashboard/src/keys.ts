/**
 * Keys: which key press asks for what. A decision by keyboard needs one deliberate press of one bare letter.
 *
 * @module
 */

export type Command = 'next' | 'previous' | 'approve' | 'deny' | 'request_changes'

const COMMANDS: Readonly<Record<string, Command>> = {
  j: 'next',
  k: 'previous',
  a: 'approve',
  d: 'deny',
  r: 'request_changes',
}

/** The members of a KeyboardEvent that matter. */
export interface KeyPress {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  readonly shiftKey: boolean
  readonly repeat: boolean
  readonly isComposing: boolean
  readonly defaultPrevented: boolean
  readonly target: unknown
}

/**
 * Undefined for a key that means nothing here, or must not: with a modifier, held down, typed into a field, handled already, or
 * while a dialog is open.
 */
export function commandOf(press: KeyPress, dialogIsOpen: boolean): Command | undefined {
  const held = press.ctrlKey || press.metaKey || press.altKey || press.shiftKey
  if (held || press.repeat || press.isComposing || press.defaultPrevented) return undefined
  if (dialogIsOpen || isField(press.target)) return undefined
  return Object.hasOwn(COMMANDS, press.key) ? COMMANDS[press.key] : undefined
}

/** The id that comes `step` after `current` in `ids`; the first or last one when `current` is not among them. */
export function neighbour(ids: readonly string[], current: string | undefined, step: 1 | -1): string | undefined {
  const index = current === undefined ? -1 : ids.indexOf(current)
  if (index < 0) return step === 1 ? ids[0] : ids.at(-1)
  return ids[index + step]
}

function isField(target: unknown): boolean {
  if (typeof target !== 'object' || target === null) return false
  const { tagName, isContentEditable } = target as { tagName?: unknown; isContentEditable?: unknown }
  return isContentEditable === true || ['INPUT', 'TEXTAREA', 'SELECT'].includes(String(tagName))
}
