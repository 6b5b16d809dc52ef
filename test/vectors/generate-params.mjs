/**
 * Writes canonical.json and params-digest.json: texts and what strict canonical JSON makes of them. Independent of the packages on
 * purpose: it spells canonical JSON and digests by itself. `node test/vectors/generate-params.mjs`.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'

const canonical = (value) => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const names = Object.keys(value).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`
}
const nested = (depth, inner = '1') => `${'{"a":'.repeat(depth)}${inner}${'}'.repeat(depth)}`
const wide = (keys) => `{${Array.from({ length: keys }, (_, index) => `"k${index}":0`).join(',')}}`

/** [name, JSON text, canonical text]: written by hand, after RFC 8785 and its appendix B. */
const texts = [
  ['empty object', '{}', '{}'],
  ['empty array', '[ ]', '[]'],
  ['whitespace', ' { "a" : [ 1 , 2 ] } ', '{"a":[1,2]}'],
  ['literals', '{"t":true,"f":false,"n":null}', '{"f":false,"n":null,"t":true}'],
  ['members are ordered, arrays are not', '{"b":[3,1,2],"a":{"d":1,"c":2}}', '{"a":{"c":2,"d":1},"b":[3,1,2]}'],
  ['digits are ordered as text', '{"10":1,"9":2,"1":3}', '{"1":3,"10":1,"9":2}'],
  ['the empty name', '{"a":1,"":2}', '{"":2,"a":1}'],
  ['capital letters come first', '{"a":1,"B":2,"_":3}', '{"B":2,"_":3,"a":1}'],
  [
    'members are ordered by UTF-16 units (RFC 8785, 3.2.3)',
    '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control","\\u00f6":"Latin Small Letter O With Diaeresis"}',
    '{"\\r":"Carriage Return","1":"One","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis","\u20ac":"Euro Sign","\ud83d\ude00":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
  ],
  [
    'the example of RFC 8785, 3.2.2',
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  ],
  ['short escapes', '["\\b\\t\\n\\f\\r\\"\\\\"]', '["\\b\\t\\n\\f\\r\\"\\\\"]'],
  ['other control characters, in small letters', '["\\u0000\\u000B\\u001F"]', '["\\u0000\\u000b\\u001f"]'],
  ['no escape where none is needed', '["\\/\\u007f\\u2028\\u00e9"]', '["/\u007f\u2028\u00e9"]'],
  ['no normalisation', '["e\\u0301","\\u00e9"]', '["e\u0301","\u00e9"]'],
  ['a pair of surrogates', '["\\ud83d\\ude00"]', '["\ud83d\ude00"]'],
  ['minus zero', '[-0,0.0,-0e9]', '[0,0,0]'],
  ['spellings of numbers', '[1.0,10e-1,0.1e2,1E2,100000]', '[1,1,10,100,100000]'],
]

/** [IEEE 754 bits, text], RFC 8785 appendix B; null is refused. */
const numbers = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['7fffffffffffffff', null],
  ['7ff0000000000000', null],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
]

/** [name, JSON text, pointer]: what no canonical text can be made of. */
const refusals = [
  ['half of a surrogate pair', '{"a":["\\ud800"]}', '/a/0'],
  ['the other half', '{"a":"x\\udc00y"}', '/a'],
  ['halves in the wrong order', '{"a":"\\udc00\\ud800"}', '/a'],
  ['half of a surrogate pair in a name', '{"a":{"\\ud800":1}}', '/a/\ud800'],
  ['a member named __proto__', '{"a":{"__proto__":1}}', '/a/__proto__'],
  ['infinity', '{"a":1e999}', '/a'],
]

/** [name, JSON text, pointer, fill]: what is plain JSON, and no params. `fill`: what each @ in the text stands for. */
const profile = [
  ['an array', '[1]', ''],
  ['a text', '"x"', ''],
  ['null', 'null', ''],
  ['an integer beyond 2^53-1', '{"a":9007199254740992}', '/a'],
  ['the same below zero', '{"a":{"b":-9007199254740992}}', '/a/b'],
  ['an integer written with an exponent', '{"a":[0,1e30]}', '/a/1'],
  ['U+0000', '{"a":"x\\u0000"}', '/a'],
  ['U+0000 in a name', '{"a\\u0000":1}', '/a\u0000'],
  ['a quote in a name', '{"a":{"b\\"":1}}', '/a/b"'],
  ['a backslash in a name', '{"a\\\\":1}', '/a\\'],
  ['a line feed in a name', '{"a\\n":1}', '/a\n'],
  ['steps of a pointer are escaped', '{"a/b":{"c~d":1e30}}', '/a~1b/c~0d'],
  ['33 containers', nested(33), '/a'.repeat(32)],
  ['1,001 members', wide(1001), ''],
  ['1,001 members, over several objects', `{"x":${wide(500)},"y":${wide(499)}}`, '/y'],
  ['a text of 64 KB', '{"a":"@"}', '/a', { text: 'x', times: 65_536 }],
  ['64 KB in all', '{"a":"@","b":"@"}', '/b', { text: 'x', times: 40_000 }],
  ['64 KB of UTF-8 in fewer characters', '{"a":"@"}', '', { text: '\u20ac', times: 22_000 }],
]

/** [name, JSON text]: params, with their digest. */
const digested = [
  ['empty', '{}'],
  ['a refund', '{"customer_id":"cust_4821","amount":50}'],
  ['another order', '{"amount":50,"customer_id":"cust_4821"}'],
  ['another spelling of the number', '{"amount":5.0e1,"customer_id":"cust_4821"}'],
  ['a text is another value', '{"amount":"50","customer_id":"cust_4821"}'],
  ['null is not absent', '{"amount":50,"customer_id":"cust_4821","note":null}'],
  ['nested', '{"to":{"iban":"DE00","name":"Bo\\u00eb"},"items":[{"sku":"a","n":1},{"sku":"b","n":2}],"dry_run":false}'],
  ['letters beyond the basic plane', '{"text":"\\ud83d\\ude00 \\u20ac"}'],
  ['escapes in a value', '{"text":"line\\nbreak \\"quoted\\" \\\\ \\u0001"}'],
  ['the largest integers', '{"max":9007199254740991,"min":-9007199254740991}'],
  ['fractions', '{"a":0.1,"b":1e-7,"c":-0,"d":123.456}'],
  ['32 containers', nested(32)],
]

const write = (name, head, lists) => {
  const body = Object.entries(lists).map(([list, items]) => `  "${list}": [\n${items.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`)
  writeFileSync(new URL(name, import.meta.url), `${JSON.stringify(head, null, 2).slice(0, -2)},\n${body.join(',\n')}\n}\n`)
}

write(
  'canonical.json',
  {
    about: [
      'Canonical JSON (RFC 8785) of plain data, and what is refused. Made by generate-params.mjs.',
      'texts: `canonical` of the value that `json` parses to. numbers: `text` of the IEEE 754 double with these bits, null is refused.',
      'refusals: neither canonical JSON nor params can be made of it. params_refusals: no params, with limits of 65536 bytes, 32 containers, 1000 members; `pointer` (RFC 6901) names the place; with `fill`, each @ in `json` stands for its text that many times.',
    ],
    format: 1,
  },
  {
    texts: texts.map(([name, json, text]) => ({ name, json, canonical: text })),
    numbers: numbers.map(([bits, text]) => ({ bits, text })),
    refusals: refusals.map(([name, json, pointer]) => ({ name, json, pointer })),
    params_refusals: profile.map(([name, json, pointer, fill]) => ({ name, json, ...(fill && { fill }), pointer })),
  },
)
write(
  'params-digest.json',
  {
    about: [
      'params_digest: sha-256: and the base64url, without padding, of SHA-256 over the UTF-8 of the canonical JSON of the params. Made by generate-params.mjs.',
    ],
    format: 1,
  },
  {
    cases: digested.map(([name, json]) => {
      const text = canonical(JSON.parse(json))
      return { name, json, canonical: text, digest: `sha-256:${createHash('sha256').update(text, 'utf8').digest('base64url')}` }
    }),
  },
)
