/**
 * Texts that try to be read as something else, with what a reader must see and what must be said about them. Used by the unit
 * test, and by the browser test, which compares what Chromium really draws.
 *
 * @module
 */
import type { TextFlag } from '../src/safe-text.ts'

export interface Trick {
  readonly name: string
  readonly raw: string
  readonly seen: string
  readonly flags: readonly TextFlag[]
}

const mark = (code: number): string => `⟦U+${code.toString(16).toUpperCase().padStart(4, '0')}⟧`
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** One character between two letters: seen as its number, and flagged as `flag`, with further flags where Unicode folds it. */
const unseen = (codes: readonly number[], flag: TextFlag, more: readonly TextFlag[] = []): Trick[] =>
  codes.map((code) => ({
    name: `U+${code.toString(16)} as ${flag}`,
    raw: `a${String.fromCodePoint(code)}b`,
    seen: `a${mark(code)}b`,
    flags: [flag, ...more],
  }))

const plain = (name: string, raw: string, flags: readonly TextFlag[] = []): Trick => ({ name, raw, seen: raw, flags })

const CONTROLS = [...range(0x00, 0x08), 0x0b, 0x0c, 0x0d, ...range(0x0e, 0x1f), ...range(0x7f, 0x9f)]
const BIDI = [0x200e, 0x200f, ...range(0x202a, 0x202e), ...range(0x2066, 0x2069)]
const INVISIBLE = [
  0x00ad,
  0x034f,
  0x115f,
  0x1160,
  0x1680,
  0x17b4,
  0x17b5,
  ...range(0x180b, 0x180e),
  ...range(0x200b, 0x200d),
  0x2028,
  0x2029,
  ...range(0x2060, 0x2064),
  ...range(0x206a, 0x206f),
  0x2800,
  ...range(0xfe00, 0xfe0f),
  0xfeff,
  ...range(0xfff9, 0xfffb),
  0xe000,
  0xf8ff,
]
/** Spaces that are none, and fillers: Unicode also counts them as another spelling of something else. */
const FOLDED = [...range(0x2000, 0x200a), 0x202f, 0x205f, 0x3000, 0x3164, 0xffa0]
const TAGS = [0xe0001, 0xe0020, ...range(0xe0041, 0xe004a), 0xe007f]

const MARKUP = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg/onload=alert(1)>',
  '"><script>alert(1)</script>',
  "'-alert(1)-'",
  '<iframe srcdoc="<script>alert(1)</script>">',
  '<a href="javascript:alert(1)">approve</a>',
  'javascript:alert(1)',
  '<details open ontoggle=alert(1)>',
  '<math><mi//xlink:href="data:x,<script>alert(1)</script>">',
  '</dd></dl></div><h1>Approved</h1>',
  '<style>*{display:none}</style>',
  '<link rel=stylesheet href=//evil.example>',
  '<meta http-equiv=refresh content="0;url=//evil.example">',
  '<base href=//evil.example>',
  '<form action=//evil.example><button>Approve</button></form>',
  '<!--<img src="--><img src=x onerror=alert(1)//">',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '&#x202E;',
  '\\u202e',
  '{{constructor.constructor("alert(1)")()}}',
  `\${alert(1)}`,
  '[Approve](javascript:alert(1))',
  '**Verified by SilentAuth**',
  '__proto__',
  'dangerouslySetInnerHTML',
]

export const CORPUS: readonly Trick[] = [
  ...unseen(CONTROLS, 'control'),
  ...unseen(BIDI, 'bidi-control'),
  ...unseen([0x061c], 'bidi-control', ['rtl-text']),
  ...unseen(INVISIBLE, 'invisible'),
  ...unseen([0x00a0], 'invisible'),
  ...unseen(FOLDED, 'invisible', ['compat-forms']),
  ...unseen(TAGS, 'tag-chars'),
  ...MARKUP.map((raw) => plain(`markup ${raw.slice(0, 24)}`, raw)),
  plain('ordinary text', 'Refund €50 to café José'),
  plain('Japanese', '日本語テスト'),
  plain('Japanese with Latin', 'iPhoneケース'),
  plain('Korean with Latin', 'LG전자'),
  plain('typography', '“quoted” – and so on… ½ m² ™'),
  plain('emoji', 'ok 👍🏽 👨‍👩‍👧 ❤️ 1️⃣ 🇩🇪'),
  plain('decomposed accents', 'café'.normalize('NFD')),
  plain('Russian', 'Привет, мир'),
  plain('Greek', 'Καλημέρα κόσμε'),
  plain('the empty text', ''),
  plain('a Cyrillic a among Latin', 'p\u0430ypal.com', ['mixed-script']),
  plain('a Greek alpha among Latin', '\u03b1dmin', ['mixed-script']),
  plain('a word of Cyrillic twins', '\u0430\u0441\u0441\u0435\u0440\u0442', ['lookalike']),
  plain('a word of Greek capitals', '\u0391\u0392\u0395', ['lookalike']),
  plain('full width letters', 'ｄｅｌｅｔｅ', ['compat-forms']),
  plain('mathematical letters', '𝐚𝐝𝐦𝐢𝐧', ['compat-forms']),
  plain('a ligature', 'con\ufb01rm', ['compat-forms']),
  plain('Bengali digits', '৪৭', ['foreign-digits']),
  plain('full width digits', '２５０', ['foreign-digits', 'compat-forms']),
  plain('Arabic', 'مرحبا', ['rtl-text']),
  plain('Hebrew', 'שלום', ['rtl-text']),
  plain('stacked marks', 'a\u0300\u0301\u0302\u0303\u0304', ['stacked-marks']),
  plain('an imitated escape', '⟦U+200B⟧', ['fake-escape']),
  plain('an imitated line mark', 'total: 5 ⏎', ['fake-escape']),
  {
    name: 'an override that turns a name around',
    raw: 'evil\u202egnp.exe',
    seen: 'evil⟦U+202E⟧gnp.exe',
    flags: ['bidi-control'],
  },
  {
    name: 'an embedding that is closed again',
    raw: 'pay \u202e0001\u202c USD',
    seen: 'pay ⟦U+202E⟧0001⟦U+202C⟧ USD',
    flags: ['bidi-control'],
  },
  {
    name: 'terminal escapes',
    raw: '\u001b[2K\u001b[1Aapproved\u0007',
    seen: '⟦U+001B⟧[2K⟦U+001B⟧[1Aapproved⟦U+0007⟧',
    flags: ['control'],
  },
  { name: 'a joiner without emoji', raw: 'a\u200db', seen: 'a⟦U+200D⟧b', flags: ['invisible'] },
  {
    name: 'text hidden in a regional flag',
    raw: '🏴\u{e0067}\u{e0062}\u{e007f}',
    seen: '🏴⟦U+E0067⟧⟦U+E0062⟧⟦U+E007F⟧',
    flags: ['tag-chars'],
  },
  { name: 'half of a surrogate pair', raw: 'a\ud83db', seen: 'a⟦U+D83D⟧b', flags: ['invisible'] },
  { name: 'line breaks', raw: 'one\ntwo\r\nthree', seen: 'one⏎\ntwo␍⏎\nthree', flags: [] },
  { name: 'a tab', raw: 'one\ttwo', seen: 'one⇥\ttwo', flags: [] },
  {
    name: 'a carriage return that writes over what stands there',
    raw: '10000\r1',
    seen: '10000⟦U+000D⟧1',
    flags: ['control'],
  },
  {
    name: 'all at once',
    raw: 'p\u0430y\u202e\u200b⟦U+200B⟧',
    seen: 'p\u0430y⟦U+202E⟧⟦U+200B⟧⟦U+200B⟧',
    flags: ['bidi-control', 'invisible', 'fake-escape', 'mixed-script'],
  },
]
