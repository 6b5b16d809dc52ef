/**
 * A timeline keeps ids in the order of an instant, and of the ids themselves where instants are equal.
 *
 * @module
 */
import type { EpochMs } from './json.js'

export interface Timeline<Id extends string> {
  insert(at: EpochMs, id: Id): void
  remove(at: EpochMs, id: Id): void
  /** From the earliest on, up to and including `at`. */
  upTo(at: EpochMs): Iterable<Id>
  /** From the latest on, or from just before a place. */
  backwards(from?: { at: EpochMs; id: Id }): Iterable<Id>
}

export function timeline<Id extends string>(): Timeline<Id> {
  const places: { at: EpochMs; id: Id }[] = []

  /** How many places come before this one. */
  function rank(at: EpochMs, id: string): number {
    const last = places.at(-1)
    if (!last || isBefore(last, at, id)) return places.length
    let low = 0
    let high = places.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBefore(places[middle] as { at: EpochMs; id: Id }, at, id)) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    insert(at, id) {
      places.splice(rank(at, id), 0, { at, id })
    },
    remove(at, id) {
      const index = rank(at, id)
      if (places[index]?.id === id) places.splice(index, 1)
    },
    *upTo(at) {
      for (let index = 0; index < places.length; index++) {
        const place = places[index] as { at: EpochMs; id: Id }
        if (place.at > at) return
        yield place.id
      }
    },
    *backwards(from) {
      for (let index = (from ? rank(from.at, from.id) : places.length) - 1; index >= 0; index--) {
        yield (places[index] as { at: EpochMs; id: Id }).id
      }
    },
  }
}

function isBefore(place: { at: EpochMs; id: string }, at: EpochMs, id: string): boolean {
  return place.at < at || (place.at === at && place.id < id)
}
