/**
 * Writes views.json: what approvers are shown and what they sign, with their hashes. Independent of the packages on purpose: it
 * spells canonical JSON and digests by itself. `node test/vectors/generate-views.mjs`.
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
const digest = (text) => `sha-256:${createHash('sha256').update(text, 'utf8').digest('base64url')}`
const hashed = ([name, value]) => {
  const text = canonical(value)
  return { name, value, canonical: text, digest: digest(text) }
}

const params = { customer_id: 'cust_4821', amount: 250 }
const plain = {
  type: 'silentauth.view',
  v: 1,
  intent_id: 'int_01h455vb4pex5vsknk084sn02q',
  project_id: 'prj_01h455vb4pex5vsknk084sn02r',
  action: 'issue_refund',
  params_digest: digest(canonical(params)),
  params,
  redacted: [],
  context: null,
  metadata: null,
  source: null,
  requested_by: null,
  risk_tier: 'medium',
  policy: null,
  approvals_required: 1,
  aud: 'urn:silentauth:prj_01h455vb4pex5vsknk084sn02r:issue_refund',
  expires_at: '2026-01-05T13:00:00.000Z',
  execution_window: 3600,
  delivery: 'claim',
  edits: false,
  reenters: false,
  idempotent: false,
  supersedes: null,
}
const secret = { account: { iban: 'DE89370400440532013000', name: 'Boë' }, amount: 250 }
const full = {
  ...plain,
  action: 'pay:supplier',
  params_digest: digest(canonical(secret)),
  params: {
    account: {
      iban: { 'silentauth.redacted': { type: 'string', length: 22, hmac: 'qF3x9_a-Zb1K' } },
      name: 'Boë',
    },
    amount: 250,
  },
  redacted: ['/account/iban'],
  context: { reasoning: 'the invoice is due: 😀 €', run: 'run-1' },
  metadata: { tags: ['a', 'b'], 10: 1, 9: 2 },
  source: 'refund-agent-v1',
  requested_by: 'lead@example.com',
  risk_tier: 'critical',
  policy: 'pol_01h455vb4pex5vsknk084sn02s@12',
  approvals_required: 2,
  aud: 'urn:payments:prod',
  expires_at: '2026-01-05T13:00:00.001Z',
  execution_window: 86400,
  delivery: 'token',
  edits: { schema: { type: 'object', properties: { amount: { type: 'number', maximum: 1e21 } } } },
  reenters: true,
  idempotent: true,
  supersedes: 'int_01h455vb4pex5vsknk084sn02t',
}
const statement = {
  type: 'silentauth.approval',
  v: 1,
  decision: 'approve',
  intent_id: plain.intent_id,
  intent_hash: digest(canonical(plain)),
  params_digest: plain.params_digest,
  aud: plain.aud,
  approver: 'user:usr_01h455vb4pex5vsknk084sn02v',
  nonce: 'AAECAwQFBgcICQoLDA0ODw',
  iat: 1767614400,
  exp: 1767614700,
}

const list = (name, items) =>
  `  "${name}": [\n${items.map((item) => `    ${JSON.stringify(hashed(item))}`).join(',\n')}\n  ]`
const head = {
  about: [
    'What approvers are shown and what they sign. `canonical` is the RFC 8785 text of `value`, `digest` sha-256: and the base64url of SHA-256 over its UTF-8. Made by generate-views.mjs.',
    'views: digest is intent_hash. statements: digest is what a passkey assertion is made over.',
    'confirmations: the text that is typed to approve a critical intent.',
  ],
  format: 1,
}
const views = [
  ['what is absent is null', plain],
  ['everything that there is', full],
  ['one unit of the amount', { ...plain, params: { ...params, amount: 251 } }],
  ['another policy version', { ...full, policy: 'pol_01h455vb4pex5vsknk084sn02s@13' }],
]
const statements = [
  ['an approval', statement],
  ['a denial of the same view', { ...statement, decision: 'deny' }],
  ['a request for changes', { ...statement, decision: 'request_changes' }],
]
const confirmations = [plain, full].map(({ action, params_digest }) => ({
  action,
  params_digest,
  text: `${action} ${params_digest.slice(-4)}`,
}))
const lines = confirmations.map((item) => `    ${JSON.stringify(item)}`).join(',\n')
writeFileSync(
  new URL('views.json', import.meta.url),
  `${JSON.stringify(head, null, 2).slice(0, -2)},\n${list('views', views)},\n${list('statements', statements)},\n  "confirmations": [\n${lines}\n  ]\n}\n`,
)
