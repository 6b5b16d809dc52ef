import { describe, expect, it } from 'vitest'
import { clipText, escapedText, safeText } from '../src/safe-text.ts'
import { CORPUS } from './safe-text-corpus.ts'

describe('safeText', () => {
  it('is held by at least two hundred texts', () => {
    expect(CORPUS.length).toBeGreaterThanOrEqual(200)
  })

  it.each(CORPUS)('shows $name', ({ raw, seen }) => {
    expect(escapedText(raw)).toBe(seen)
  })

  it.each(CORPUS)('says what is wrong with $name', ({ raw, flags }) => {
    expect(safeText(raw).flags).toEqual(flags)
  })

  it('tells its own marks from imitations in the text', () => {
    expect(safeText('\u200b⟦U+200B⟧').parts).toEqual([
      { type: 'escape', text: '⟦U+200B⟧' },
      { type: 'text', text: '⟦U+200B⟧' },
    ])
  })

  it('leaves nothing in a text part that cannot be seen', () => {
    const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
    const texts = CORPUS.filter(({ name }) => name !== 'emoji')
      .flatMap(({ raw }) => safeText(raw).parts)
      .filter(({ type }) => type === 'text')
    expect(texts.filter(({ text }) => unseen.test(text))).toEqual([])
  })

  it('ends for a text far longer than params can be', () => {
    // A pattern that backtracks would not end within the time of any test at this size.
    expect(safeText('aб\u202e'.repeat(60_000)).parts).toHaveLength(120_000)
  })
})

describe('clip', () => {
  it('keeps the first characters', () => {
    expect(clipText([{ type: 'text', text: 'abcdef' }], 4)).toEqual([{ type: 'text', text: 'abcd' }])
  })

  it('never cuts an escape in two', () => {
    expect(clipText(safeText('a\u202eb').parts, 3)).toEqual([
      { type: 'text', text: 'a' },
      { type: 'escape', text: '⟦U+202E⟧' },
    ])
  })

  it('never leaves half of a surrogate pair', () => {
    expect(clipText([{ type: 'text', text: 'ab𝐚' }], 3)).toEqual([{ type: 'text', text: 'ab' }])
  })
})
