/**
 * Safe text: what an agent wrote, made readable so that nothing in it is hidden, reordered or mistaken for something else.
 * Every control, bidirectional, zero-width, tag or filler character becomes visible as `⟦U+202E⟧`; look-alike tricks raise flags.
 *
 * @module
 */

/** In the order in which they are shown: what changes the reading order first. */
export const TEXT_FLAGS = [
  'bidi-control',
  'tag-chars',
  'invisible',
  'control',
  'fake-escape',
  'mixed-script',
  'lookalike',
  'foreign-digits',
  'compat-forms',
  'rtl-text',
  'stacked-marks',
] as const
export type TextFlag = (typeof TEXT_FLAGS)[number]

/** `escape`: made by this page. The same characters inside a `text` part were written by the agent. */
export interface TextPart {
  readonly type: 'text' | 'escape'
  readonly text: string
}

export interface SafeText {
  readonly parts: readonly TextPart[]
  readonly flags: readonly TextFlag[]
}

/** Linear in the length of `raw`. The result belongs into text nodes of one `<bdi dir="ltr">`, never into markup. */
export function safeText(raw: string): SafeText {
  const flags = new Set<TextFlag>()
  const parts: TextPart[] = []
  let last = 0
  for (const emoji of raw.matchAll(EMOJI)) {
    if (TAG.test(emoji[0])) continue
    escapeInto(parts, raw.slice(last, emoji.index), flags)
    push(parts, 'text', emoji[0])
    last = emoji.index + emoji[0].length
  }
  escapeInto(parts, raw.slice(last), flags)
  flagLookalikes(raw, flags)
  return { parts, flags: TEXT_FLAGS.filter((flag) => flags.has(flag)) }
}

/** What a reader sees, as one text. */
export function escapedText(raw: string): string {
  return safeText(raw)
    .parts.map(({ text }) => text)
    .join('')
}

/** The first `limit` characters of what a reader sees; an escape is never cut in two. */
export function clipText(parts: readonly TextPart[], limit: number): readonly TextPart[] {
  const kept: TextPart[] = []
  let left = limit
  for (const part of parts) {
    if (left <= 0) break
    const text = part.type === 'escape' ? part.text : wholePairs(part.text.slice(0, left))
    kept.push({ type: part.type, text })
    left -= part.text.length
  }
  return kept
}

/** Everything that has no shape of its own, or whose shape is a space that is none. */
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2800]/gu
/** Whole, well-formed sequences: their joiners and variation selectors are part of one picture. */
const EMOJI = /\p{RGI_Emoji}/gv
/** Flags of regions are made of tag characters, which can carry any ASCII text unseen. */
const TAG = /[\u{e0000}-\u{e0fff}]/u
const BIDI = /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/u
const IMITATION = /⟦U\+[0-9A-F]+⟧|[⏎⇥␍]/i

function escapeInto(parts: TextPart[], raw: string, flags: Set<TextFlag>): void {
  let last = 0
  for (const match of raw.matchAll(UNSEEN)) {
    const character = match[0]
    push(parts, 'text', raw.slice(last, match.index))
    last = match.index + character.length
    // Line breaks and tabs are shown by a mark and still do their work: code and tables stay readable.
    if (character === '\n') push(parts, 'escape', '⏎\n')
    else if (character === '\t') push(parts, 'escape', '⇥\t')
    else if (character === '\r' && raw[last] === '\n') push(parts, 'escape', '␍')
    else {
      flags.add(flagOf(character))
      push(parts, 'escape', `⟦U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟧`)
    }
  }
  push(parts, 'text', raw.slice(last))
}

function flagOf(character: string): TextFlag {
  if (BIDI.test(character)) return 'bidi-control'
  if (TAG.test(character)) return 'tag-chars'
  return /\p{Cc}/u.test(character) ? 'control' : 'invisible'
}

function push(parts: TextPart[], type: TextPart['type'], text: string): void {
  if (text === '') return
  const before = parts.at(-1)
  if (before?.type === type) parts[parts.length - 1] = { type, text: before.text + text }
  else parts.push({ type, text })
}

const SCRIPTS = [
  'Latin',
  'Cyrillic',
  'Greek',
  'Armenian',
  'Cherokee',
  'Hebrew',
  'Arabic',
  'Han',
  'Hiragana',
  'Katakana',
  'Hangul',
  'Thai',
  'Devanagari',
].map((script) => [script, new RegExp(`\\p{Script=${script}}`, 'u')] as const)
/** Writing systems that mix by nature (UTS 39, section 5.2). */
const NATURAL_MIXES = [
  ['Latin', 'Han', 'Hiragana', 'Katakana'],
  ['Latin', 'Han', 'Hangul'],
]
/** Cyrillic and Greek letters that many fonts draw as Latin ones: a whole word of them mixes no scripts. */
const LATIN_TWINS = /^[асеорхуіјѕԁһӏԛԝвкмнтАВЕКМНОРСТУХІЈЅԌԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧοανυρικχ]{3,}$/u
/** Compatibility characters that nobody mistakes, and that ordinary prose is full of. */
const HARMLESS_FORMS = /[…™²³¹¼½¾ªº\u00a0]/gu

function flagLookalikes(raw: string, flags: Set<TextFlag>): void {
  if (IMITATION.test(raw)) flags.add('fake-escape')
  if (!NOT_ASCII.test(raw)) return
  for (const word of raw.normalize('NFC').split(/[^\p{L}\p{M}\p{N}]+/u)) {
    if (!NOT_ASCII.test(word)) continue
    const scripts = SCRIPTS.filter(([, pattern]) => pattern.test(word)).map(([script]) => script)
    const natural = NATURAL_MIXES.some((mix) => scripts.every((script) => mix.includes(script)))
    if (scripts.length > 1 && !natural) flags.add('mixed-script')
    if (LATIN_TWINS.test(word)) flags.add('lookalike')
  }
  const plain = raw.replace(HARMLESS_FORMS, '')
  if (plain.normalize('NFKC') !== plain.normalize('NFC')) flags.add('compat-forms')
  if (/[^\P{Nd}0-9]/u.test(raw)) flags.add('foreign-digits')
  if (/\p{Script=Hebrew}|\p{Script=Arabic}|\p{Script=Syriac}|\p{Script=Thaana}|\p{Script=Nko}/u.test(raw)) {
    flags.add('rtl-text')
  }
  if (/\p{M}{4,}/u.test(raw)) flags.add('stacked-marks')
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII begins there
const NOT_ASCII = /[^\u0000-\u007f]/

/** Without half of a surrogate pair at its end. */
function wholePairs(text: string): string {
  return /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text
}
