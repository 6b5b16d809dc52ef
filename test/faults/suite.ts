/**
 * A fault suite: it breaks things on purpose, counts what it saw, and says of every counter what it must be.
 *
 * @module
 */

export interface Suite {
  readonly name: string
  run(size: Size): Promise<Counters>
}

export interface Size {
  /** The size of `FAULTS=full`; else the one of CI, for about a minute. */
  readonly full: boolean
  /** Of everything random in the suite: the same seed does the same again, as far as other processes allow. */
  readonly seed: number
}

export type Counters = readonly Counter[]

export interface Counter {
  readonly name: string
  readonly value: number
  readonly must: Must
}

/** `told`: printed for the reader, no failure. */
export type Must = { readonly be: number } | { readonly beAtLeast: number } | 'told'

export function holds({ value, must }: Counter): boolean {
  if (must === 'told') return true
  return 'be' in must ? value === must.be : value >= must.beAtLeast
}

export function demandOf({ must }: Counter): string {
  if (must === 'told') return ''
  return 'be' in must ? `must be ${must.be}` : `must be at least ${must.beAtLeast}`
}

/** `FAULTS=full` and `FAULTS_SEED`. */
export function sizeFrom(environment: NodeJS.ProcessEnv): Size {
  const seed = Number(environment.FAULTS_SEED ?? Math.floor(Math.random() * 2 ** 31))
  if (!Number.isSafeInteger(seed)) throw new TypeError('FAULTS_SEED is not a whole number')
  return { full: environment.FAULTS === 'full', seed }
}

/** A generator of numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
