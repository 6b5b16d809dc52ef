/**
 * Which folds of a value are open on this screen, and which were never opened.
 *
 * @module
 */
import type { JsonObject } from '@silentauth/core'
import { useCallback, useMemo, useState } from 'react'
import { foldId, foldsOf } from './folds.js'

export interface Folds {
  /** Whether the fold of this id is open, or there is none. */
  isOpen(id: string): boolean
  open(id: string): void
  close(id: string): void
  openAll(): void
  /** Folds that were never opened. Closing one again does not unsee it. */
  readonly unopened: number
}

/** Starts anew with every other value; the caller gives its component a key. */
export function useFolds(value: JsonObject): Folds {
  const ids = useMemo(() => new Set(foldsOf(value).map(foldId)), [value])
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set())
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const open = useCallback((id: string) => {
    setSeen((before) => new Set(before).add(id))
    setClosed((before) => new Set([...before].filter((other) => other !== id)))
  }, [])
  const close = useCallback((id: string) => setClosed((before) => new Set(before).add(id)), [])
  const openAll = useCallback(() => {
    setSeen(ids)
    setClosed(new Set())
  }, [ids])
  let unopened = 0
  for (const id of ids) if (!seen.has(id)) unopened++
  return {
    isOpen: (id) => !closed.has(id) && (seen.has(id) || !ids.has(id)),
    open,
    close,
    openAll,
    unopened,
  }
}
