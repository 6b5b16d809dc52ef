/**
 * A glob is a pattern over names: `*` stands for any text, also for none, `?` for one character, everything else for itself.
 *
 * Matched without RegExp and without backtracking: each character of the text is read once, and costs one step per 31 characters
 * of the pattern, whatever pattern and text are.
 *
 * @module
 */

export interface Glob {
  readonly pattern: string
  /** The text before the first `*` or `?`: what every match begins with. */
  readonly prefix: string
  /** No `*` and no `?`: the one text that matches is the prefix. */
  readonly exact: boolean
  /** Case-sensitive. */
  matches(text: string): boolean
}

/** Keeps the states of one pattern in a handful of words. */
export const MAX_GLOB_LENGTH = 256

/**
 * Compiles a pattern once.
 *
 * @throws TypeError for a pattern longer than 256 characters: whoever stores patterns checks that before
 */
export function compileGlob(pattern: string): Glob {
  if (pattern.length > MAX_GLOB_LENGTH) throw new TypeError(`a glob has at most ${MAX_GLOB_LENGTH} characters`)
  const wildcard = pattern.search(/[*?]/)
  const prefix = wildcard === -1 ? pattern : pattern.slice(0, wildcard)
  return { pattern, prefix, exact: wildcard === -1, matches: matcherOf(pattern, prefix, wildcard) }
}

function matcherOf(pattern: string, prefix: string, wildcard: number): (text: string) => boolean {
  if (wildcard === -1) return (text) => text === pattern
  const rest = pattern.slice(wildcard)
  if (/^\*+$/.test(rest)) return prefix === '' ? () => true : (text) => text.startsWith(prefix)
  if (/^\*[^*?]+$/.test(rest)) {
    const suffix = rest.slice(1)
    const least = prefix.length + suffix.length
    return (text) => text.length >= least && text.startsWith(prefix) && text.endsWith(suffix)
  }
  const automaton = compileAutomaton(pattern)
  return (text) => text.startsWith(prefix) && accepts(automaton, text)
}

/** Bits of one word; 31, so that a word stays a small integer. */
const WORD_BITS = 31
const WORD_MASK = 0x7fff_ffff

/**
 * A bit-parallel automaton (Baeza-Yates and Gonnet's Shift-And, with loops for `*`). Bit `i` is set when the text so far can be
 * matched by the first `i` single-character steps of the pattern.
 */
interface Automaton {
  readonly words: number
  /** Steps that read each literal character: bit `i` when step `i` leads from state `i - 1` to `i`. */
  readonly literal: ReadonlyMap<string, Int32Array>
  /** Steps that read any character. */
  readonly any: Int32Array
  /** States that stay while any text passes: a `*` stands behind them. */
  readonly loops: Int32Array
  readonly last: number
}

function compileAutomaton(pattern: string): Automaton {
  const characters = [...pattern]
  const words = Math.ceil((characters.length + 1) / WORD_BITS)
  const literal = new Map<string, Int32Array>()
  const any = new Int32Array(words)
  const loops = new Int32Array(words)
  let state = 0
  for (const character of characters) {
    if (character === '*') {
      setBit(loops, state)
      continue
    }
    state += 1
    if (character === '?') {
      setBit(any, state)
      continue
    }
    let mask = literal.get(character)
    if (mask === undefined) {
      mask = new Int32Array(words)
      literal.set(character, mask)
    }
    setBit(mask, state)
  }
  return { words, literal, any, loops, last: state }
}

function accepts(automaton: Automaton, text: string): boolean {
  const { words, literal, any, loops, last } = automaton
  const states = new Int32Array(words)
  setBit(states, 0)
  for (const character of text) {
    const mask = literal.get(character)
    let carry = 0
    let alive = 0
    for (let word = 0; word < words; word++) {
      const before = states[word] as number
      const moved = ((before << 1) | carry) & WORD_MASK
      carry = (before >>> (WORD_BITS - 1)) & 1
      const readable = (any[word] as number) | (mask === undefined ? 0 : (mask[word] as number))
      const after = (moved & readable) | (before & (loops[word] as number))
      states[word] = after
      alive |= after
    }
    if (alive === 0) return false
  }
  return ((states[Math.floor(last / WORD_BITS)] as number) & (1 << (last % WORD_BITS))) !== 0
}

function setBit(words: Int32Array, bit: number): void {
  const word = Math.floor(bit / WORD_BITS)
  words[word] = (words[word] as number) | (1 << (bit % WORD_BITS))
}
