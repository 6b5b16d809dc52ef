/**
 * Folds: the parts of a JSON value that a page does not show at first, because they are long or deep. Nothing is left out
 * silently: each fold says how much it holds back, and a grave approval waits until every one was opened.
 *
 * @module
 */
import { type Json, type JsonPointer, pointerStep } from '@silentauth/core'

/** `text`: the end of a long text. `items`: the members after the first few. `branch`: a container deep inside. */
export interface Fold {
  readonly kind: 'text' | 'items' | 'branch'
  readonly pointer: JsonPointer
  /** Characters of a text, members of a container. */
  readonly shown: number
  readonly total: number
}

/** Characters of one text. */
export const TEXT_LIMIT = 480
/** Members of one container. */
export const ITEM_LIMIT = 24
/** Containers within containers; the root is 0. */
export const OPEN_DEPTH = 4

/** Every fold in the value, those inside other folds included, in document order. */
export function foldsOf(value: Json): readonly Fold[] {
  const folds: Fold[] = []
  walk(value, '', 0, folds)
  return folds
}

/** One name per fold: a container can have two. */
export function foldId({ kind, pointer }: Pick<Fold, 'kind' | 'pointer'>): string {
  return `${kind} ${pointer}`
}

/** The members of a container with the pointer of each; null for a value that has none. */
export function membersOf(
  value: Json,
  pointer: JsonPointer,
): readonly { name: string | number; pointer: JsonPointer; value: Json }[] | null {
  if (value === null || typeof value !== 'object') return null
  const entries: readonly (readonly [string | number, Json])[] = Array.isArray(value)
    ? value.map((item: Json, index) => [index, item] as const)
    : Object.entries(value as { readonly [member: string]: Json })
  return entries.map(([name, member]) => ({ name, pointer: `${pointer}${pointerStep(name)}`, value: member }))
}

function walk(value: Json, pointer: JsonPointer, depth: number, folds: Fold[]): void {
  if (typeof value === 'string' && value.length > TEXT_LIMIT) {
    folds.push({ kind: 'text', pointer, shown: TEXT_LIMIT, total: value.length })
  }
  const members = membersOf(value, pointer)
  if (members === null) return
  if (depth >= OPEN_DEPTH && members.length > 0) {
    folds.push({ kind: 'branch', pointer, shown: 0, total: members.length })
  }
  if (members.length > ITEM_LIMIT) {
    folds.push({ kind: 'items', pointer, shown: ITEM_LIMIT, total: members.length })
  }
  for (const member of members) walk(member.value, member.pointer, depth + 1, folds)
}
