/**
 * Writes permits.json: tokens with the code that every verifier must answer them with. Independent of the packages on purpose: it
 * spells canonical JSON and signatures by itself. `node test/vectors/generate-permits.mjs`; RS256, EdDSA and HS256 come out the same
 * each time, ES256 signatures are random, which is why the result is committed.
 *
 * Every case has one fault: header and payload are otherwise canonical and signed.
 *
 * @module
 */
import crypto from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'

const keyFile = JSON.parse(readFileSync(new URL('test-keys.json', import.meta.url), 'utf8'))

const now = 1_800_000_000
const params = { customer_id: 'cust_4821', amount: 50 }
const options = {
  issuer: 'https://gate.example.com',
  project_id: 'prj_1',
  audience: 'urn:payments:prod',
  action: 'issue_refund',
  params,
  now,
}

// ── writing tokens ──────────────────────────────────────────────────────────

const canonical = (value) => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const names = Object.keys(value).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`
}
const b64 = (data) => Buffer.from(data).toString('base64url')
const sha256 = (text) => crypto.createHash('sha256').update(text).digest('base64url')
const digest = (value) => `sha-256:${sha256(canonical(value))}`
const without = (object, ...names) => Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))
const only = (object, ...names) => Object.fromEntries(Object.entries(object).filter(([name]) => names.includes(name)))

const evidence = sha256('evidence')
const claims = (jti = 'pmt_1') => ({
  iss: options.issuer,
  aud: options.audience,
  sub: 'agent:refund-agent-v1',
  jti,
  iat: now,
  exp: now + 300,
  use_until: now + 3600,
  ver: 1,
  intent_id: 'int_1',
  project_id: 'prj_1',
  action: 'issue_refund',
  params_digest: digest(params),
  risk_tier: 'high',
  decision: { kind: 'human', policy: 'pol_42@7', quorum: 2 },
  approvals: [
    { at: now - 60, by: 'user:usr_1', ref: evidence, via: 'webauthn' },
    { at: now - 30, by: 'user:usr_2', ref: evidence, via: 'session' },
  ],
  uses: 1,
  declared_by: 'agent:agt_1',
  approved_by: ['ada@example.com', 'bob@example.com'],
  context_digest: digest({ type: 'silentauth.view' }),
})
/** What a policy approves by itself. */
const automatic = () => ({
  ...without(claims(), 'approved_by', 'context_digest'),
  decision: { kind: 'policy', policy: 'pol_42@7', quorum: 0 },
  approvals: [],
})
const approvals = (first = {}, second = {}) => {
  const [a, b] = claims().approvals
  return { approvals: [{ ...a, ...first }, { ...b, ...second }] }
}
const details = (change = {}) => ({
  authorization_details: [
    {
      type: 'urn:silentauth:tool-call',
      actions: ['issue_refund'],
      locations: [options.audience],
      params_digest: digest(params),
      intent_id: 'int_1',
      ...change,
    },
  ],
})

function signatureOf(alg, input, jwk) {
  if (alg === 'HS256') return crypto.createHmac('sha256', Buffer.from(jwk.k, 'base64url')).update(input).digest()
  const key = crypto.createPrivateKey({ key: jwk, format: 'jwk' })
  if (alg === 'EdDSA') return crypto.sign(null, Buffer.from(input), key)
  return crypto.sign('sha256', Buffer.from(input), alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key)
}

/** The ways of making a token for one algorithm. */
function mint(alg) {
  const own = keyFile.own[alg]
  const foreign = keyFile.foreign[alg]
  const header = { alg, kid: own.kid, typ: 'permit+jwt' }
  const sign = (input, jwk = own) => `${input}.${b64(signatureOf(alg, input, jwk))}`
  const raw = (head, payload, jwk) => sign(`${b64(head)}.${b64(payload)}`, jwk)
  return {
    own,
    foreign,
    header,
    sign,
    raw,
    /** From texts: the whole payload as given. */
    payload: (text) => raw(canonical(header), text),
    /** Claims laid over the good ones. */
    with: (change, head = {}, jwk = own) => raw(canonical({ ...header, ...head }), canonical({ ...claims(), ...change }), jwk),
    all: (body) => raw(canonical(header), canonical(body)),
    lacking: (...names) => raw(canonical(header), canonical(without(claims(), ...names))),
    edited: (from, to) => raw(canonical(header), canonical(claims()).replace(from, to)),
  }
}

// ── the attacks: 0 to 107 ───────────────────────────────────────────────────

function attacks(alg) {
  const m = mint(alg)
  const { header, raw, sign } = m
  const good = goodToken(m)
  const [head, payload, signature] = good.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  const publicKey = crypto.createPublicKey({ key: m.own, format: 'jwk' })
  const json = canonical(claims())
  const headerText = (algText) => `{"alg":${algText},"kid":"k1","typ":"permit+jwt"}`
  const hmac = (change, secret) => {
    const input = `${b64(canonical({ ...header, ...change }))}.${payload}`
    return `${input}.${crypto.createHmac('sha256', secret).update(input).digest('base64url')}`
  }
  const otherRsa = (name, signWith) => {
    const input = `${b64(canonical({ ...header, alg: name }))}.${b64(json)}`
    return alg === 'RS256' ? `${input}.${b64(signWith(Buffer.from(input)))}` : sign(input)
  }
  const pss = { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 0 }
  const privateKey = crypto.createPrivateKey({ key: m.own, format: 'jwk' })
  const foreignPublic = crypto.createPublicKey({ key: m.foreign, format: 'jwk' }).export({ format: 'jwk' })
  const other = (body) => `${head}.${payload}.${body}`
  return [
    ['good', 'ok', good],
    ['alg none, empty signature', 'PERMIT_ALG', `${b64(headerText('"none"'))}.${payload}.`],
    ['alg nOnE', 'PERMIT_ALG', `${b64(headerText('"nOnE"'))}.${payload}.`],
    ['alg missing', 'PERMIT_ALG', raw(canonical(without(header, 'alg')), json)],
    ['alg empty text', 'PERMIT_ALG', raw(headerText('""'), json)],
    ['alg array', 'PERMIT_ALG', raw(headerText(`["${alg}"]`), json)],
    ['HS256, public key PEM as the secret', 'PERMIT_ALG', hmac({ alg: 'HS256' }, publicKey.export({ type: 'spki', format: 'pem' }))],
    ['HS256, raw public key bytes as the secret', 'PERMIT_ALG', hmac({ alg: 'HS256' }, Buffer.from(m.own.n ?? m.own.x, 'base64url'))],
    ['HS256, empty secret', 'PERMIT_ALG', hmac({ alg: 'HS256' }, '')],
    ['RS512 with the same key', 'PERMIT_ALG', otherRsa('RS512', (input) => crypto.sign('sha512', input, privateKey))],
    ['PS256 with the same key', 'PERMIT_ALG', otherRsa('PS256', (input) => crypto.sign('sha256', input, { key: privateKey, ...pss }))],
    ['header names another asymmetric alg, signature by the pinned key', 'PERMIT_ALG', m.with({}, { alg: alg === 'ES256' ? 'RS256' : 'ES256' })],
    ['jwk header, attacker key', 'PERMIT_HEADER', m.with({}, { jwk: foreignPublic }, m.foreign)],
    ['jku header, attacker key', 'PERMIT_HEADER', m.with({}, { jku: 'https://evil.example/jwks.json' }, m.foreign)],
    ['x5u header, attacker key', 'PERMIT_HEADER', m.with({}, { x5u: 'https://evil.example/c.pem' }, m.foreign)],
    ['x5c header, attacker key', 'PERMIT_HEADER', m.with({}, { x5c: ['MIIB'] }, m.foreign)],
    ['signed by our key, jku present', 'PERMIT_HEADER', m.with({}, { jku: 'https://gate.example.com/jwks' })],
    ['kid path traversal', 'PERMIT_KID_UNKNOWN', m.with({}, { kid: '../../../../dev/null' })],
    ['kid SQL', 'PERMIT_KID_UNKNOWN', m.with({}, { kid: "k1' OR '1'='1" })],
    ['kid __proto__', 'PERMIT_KID_UNKNOWN', m.with({}, { kid: '__proto__' })],
    ['kid constructor', 'PERMIT_KID_UNKNOWN', m.with({}, { kid: 'constructor' })],
    ['kid missing', 'PERMIT_KID', raw(canonical(without(header, 'kid')), json)],
    ['kid number', 'PERMIT_KID', m.with({}, { kid: 1 })],
    ['kid unknown', 'PERMIT_KID_UNKNOWN', m.with({}, { kid: 'k9' })],
    ['kid other case', 'PERMIT_KID_UNKNOWN', m.with({}, { kid: 'K1' })],
    ['typ missing', 'PERMIT_TYP', raw(canonical(without(header, 'typ')), json)],
    ['typ JWT (generic token of the same key)', 'PERMIT_TYP', m.with({}, { typ: 'JWT' })],
    ['typ at+jwt', 'PERMIT_TYP', m.with({}, { typ: 'at+jwt' })],
    ['typ PERMIT+JWT', 'PERMIT_TYP', m.with({}, { typ: 'PERMIT+JWT' })],
    ['typ application/permit+jwt', 'PERMIT_TYP', m.with({}, { typ: 'application/permit+jwt' })],
    ['cty JWT, nested token', 'PERMIT_HEADER', raw(canonical({ ...header, cty: 'JWT' }), good)],
    ['crit with unknown extension', 'PERMIT_HEADER', m.with({}, { crit: ['exp2'], exp2: 1 })],
    ['crit empty array', 'PERMIT_HEADER', m.with({}, { crit: [] })],
    ['crit lists alg', 'PERMIT_HEADER', m.with({}, { crit: ['alg'] })],
    ['crit b64:false, unencoded payload', 'PERMIT_HEADER', sign(`${b64(canonical({ ...header, b64: false, crit: ['b64'] }))}.${json.replaceAll('.', '')}`)],
    ['b64:false without crit', 'PERMIT_HEADER', m.with({}, { b64: false })],
    ['zip DEF', 'PERMIT_HEADER', m.with({}, { zip: 'DEF' })],
    ['unknown header member', 'PERMIT_HEADER', m.with({}, { foo: 'bar' })],
    ['five parts (JWE shape)', 'PERMIT_MALFORMED', `${good}.AA.BB`],
    ['four parts (trailing dot)', 'PERMIT_MALFORMED', `${good}.`],
    ['two parts', 'PERMIT_MALFORMED', `${head}.${payload}`],
    ['empty payload, signature valid', 'PERMIT_ENCODING', sign(`${head}.`)],
    ['flattened JSON serialisation as a text', 'PERMIT_MALFORMED', JSON.stringify({ protected: head, payload, signature })],
    ['leading space', 'PERMIT_ENCODING', ` ${good}`],
    ['trailing newline', 'PERMIT_ENCODING', `${good}\n`],
    ['leading byte order mark', 'PERMIT_ENCODING', `\ufeff${good}`],
    ['"Bearer " prefix', 'PERMIT_ENCODING', `Bearer ${good}`],
    ['padded signature (==)', 'PERMIT_ENCODING', `${good}==`],
    ['standard base64 alphabet in the signature', 'PERMIT_ENCODING', other(signature.replaceAll('-', '+').replaceAll('_', '/'))],
    ['newline inside the signature', 'PERMIT_ENCODING', other(`${signature.slice(0, 10)}\n${signature.slice(10)}`)],
    ['non-zero trailing bits in the signature', 'PERMIT_ENCODING', other(bumped(signature))],
    ['junk character inside the signature', 'PERMIT_ENCODING', other(`${signature.slice(0, 10)}!${signature.slice(10)}`)],
    ['signature one byte short, encoded again', 'PERMIT_SIGNATURE', other(b64(bytes.subarray(0, -1)))],
    ['signature plus one byte', 'PERMIT_SIGNATURE', other(b64(Buffer.concat([bytes, Buffer.from([0])])))],
    ['signature empty', 'PERMIT_ENCODING', other('')],
    ['payload changed', 'PERMIT_SIGNATURE', `${head}.${b64(canonical({ ...claims(), action: 'delete_account' }))}.${signature}`],
    ['signed by another key under the same kid', 'PERMIT_SIGNATURE', m.with({}, {}, m.foreign)],
    ['expired', 'PERMIT_EXPIRED', m.with({ iat: now - 1000, exp: now - 700 })],
    ['exp == now - skew (edge)', 'PERMIT_EXPIRED', m.with({ iat: now - 200, exp: now - 5 })],
    ['exp missing', 'PERMIT_LIFETIME', m.lacking('exp')],
    ['iat missing', 'PERMIT_LIFETIME', m.lacking('iat')],
    ['jti missing', 'PERMIT_CLAIMS', m.lacking('jti')],
    ['aud missing', 'PERMIT_AUDIENCE', m.lacking('aud')],
    ['iss missing', 'PERMIT_ISSUER', m.lacking('iss')],
    ['action missing', 'PERMIT_CLAIMS', m.lacking('action')],
    ['params_digest missing', 'PERMIT_CLAIMS', m.lacking('params_digest')],
    ['exp text', 'PERMIT_LIFETIME', m.with({ exp: String(now + 300) })],
    ['exp fraction', 'PERMIT_LIFETIME', m.with({ exp: now + 299.5 })],
    ['exp spelled 1e308', 'PERMIT_NONCANONICAL', m.edited(/"exp":\d+/, '"exp":1e308')],
    ['exp spelled 1e999 (parses to infinity)', 'PERMIT_NONCANONICAL', m.edited(/"exp":\d+/, '"exp":1e999')],
    ['exp null', 'PERMIT_LIFETIME', m.with({ exp: null })],
    ['exp negative', 'PERMIT_LIFETIME', m.with({ exp: -1 })],
    ['exp in milliseconds', 'PERMIT_LIFETIME', m.with({ exp: (now + 300) * 1000 })],
    ['lifetime of ten years', 'PERMIT_LIFETIME', m.with({ exp: now + 315_360_000, use_until: now + 315_360_000 })],
    ['iat in the future', 'PERMIT_NOT_YET_VALID', m.with({ iat: now + 3600, exp: now + 3900, use_until: now + 3900 })],
    ['nbf in the future', 'PERMIT_NOT_YET_VALID', m.with({ nbf: now + 120 })],
    ['exp == iat', 'PERMIT_LIFETIME', m.with({ iat: now + 3, exp: now + 3 })],
    ['aud wrong', 'PERMIT_AUDIENCE', m.with({ aud: 'urn:other' })],
    ['aud array with ours and another', 'PERMIT_AUDIENCE', m.with({ aud: [options.audience, 'urn:other'] })],
    ['aud object', 'PERMIT_AUDIENCE', m.with({ aud: { [options.audience]: 1 } })],
    ['aud with ours as prefix', 'PERMIT_AUDIENCE', m.with({ aud: `${options.audience}/` })],
    ['iss wrong', 'PERMIT_ISSUER', m.with({ iss: 'https://evil.example' })],
    ['iss with trailing slash', 'PERMIT_ISSUER', m.with({ iss: `${options.issuer}/` })],
    ['iss array', 'PERMIT_ISSUER', m.with({ iss: [options.issuer] })],
    ['action wrong', 'PERMIT_ACTION', m.with({ action: 'delete_account' })],
    ['action homoglyph (Cyrillic)', 'PERMIT_ACTION', m.with({ action: '\u0456ssue_r\u0435fund' })],
    ['action other case', 'PERMIT_ACTION', m.with({ action: 'Issue_Refund' })],
    ['action glob *', 'PERMIT_ACTION', m.with({ action: '*' })],
    ['action trailing space', 'PERMIT_ACTION', m.with({ action: 'issue_refund ' })],
    ['action with zero-width space', 'PERMIT_ACTION', m.with({ action: 'issue\u200b_refund' })],
    ['action array', 'PERMIT_CLAIMS', m.with({ action: ['issue_refund'] })],
    ['params differ', 'PERMIT_PARAMS', m.with({ params_digest: digest({ ...params, amount: 5000 }) })],
    ['params_digest of another algorithm (md5:)', 'PERMIT_PARAMS', m.with({ params_digest: 'md5:xxxx' })],
    ['duplicate member: action twice', 'PERMIT_NONCANONICAL', m.edited('"action":"issue_refund"', '"action":"delete_account","action":"issue_refund"')],
    ['duplicate header member: alg twice', 'PERMIT_NONCANONICAL', raw(`{"alg":"none","alg":"${alg}","kid":"k1","typ":"permit+jwt"}`, json)],
    ['claims inside an own __proto__', 'PERMIT_NONCANONICAL', m.payload(`{"__proto__":${json}}`)],
    ['payload array', 'PERMIT_NONCANONICAL', m.payload('[]')],
    ['payload null', 'PERMIT_NONCANONICAL', m.payload('null')],
    ['payload text', 'PERMIT_NONCANONICAL', m.payload('"x"')],
    ['payload not JSON', 'PERMIT_MALFORMED', m.payload('xx')],
    ['payload invalid UTF-8', 'PERMIT_ENCODING', m.payload(Buffer.concat([Buffer.from(`${json.slice(0, -1)},"x":"`), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]))],
    ['payload with a byte order mark', 'PERMIT_MALFORMED', m.payload(`\ufeff${json}`)],
    ['payload pretty-printed', 'PERMIT_NONCANONICAL', m.payload(JSON.stringify(JSON.parse(json), null, 1))],
    ['1 MB token', 'PERMIT_TOO_LARGE', good, { token_pad: { with: 'A', to: 1_000_000 } }],
    ['payload nested 10000 deep', 'PERMIT_TOO_LARGE', m.payload(`${json.slice(0, -1)},"zz":${'['.repeat(10_000)}${']'.repeat(10_000)}}`)],
    ['token is an object that turns into the text', 'PERMIT_MALFORMED', good, { token_type: 'object' }],
    ['token is the bytes of the text', 'PERMIT_MALFORMED', good, { token_type: 'bytes' }],
    ['HS256 permit under the kid of a secret', 'PERMIT_KID_UNKNOWN', hmac({ alg: 'HS256', kid: 'hs1' }, 'shared-secret')],
  ].map(([name, expect, token, extra = {}], index) => ({ id: `${alg}-${index}`, name, expect, token, ring: alg, ...extra }))
}

/** Case 48 needs a `-` or `_` in the signature. */
function goodToken(m) {
  for (let n = 1; n < 100; n++) {
    const token = m.all(claims(`pmt_${n}`))
    if (/[-_]/.test(token.split('.')[2])) return token
  }
  throw new Error('no signature with - or _')
}

function bumped(text) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1)) ^ 1]
}

// ── the profile: extra cases E1 to E21, and the rulings after them ─────────

function profile(alg) {
  const m = mint(alg)
  const json = canonical(claims())
  /** The good claims in a length that base64url does not fill. */
  const stray = canonical(claims('pmt_1'.padEnd(5 + ((4 - (json.length % 3)) % 3), '0')))
  const bound = { cnf: { jkt: evidence } }
  const critical = { risk_tier: 'critical' }
  const requested = { require_human: true }
  const policyDecision = (change = {}) => ({ kind: 'policy', policy: 'pol_42@7', quorum: 0, ...change })
  const humanDecision = (change = {}) => ({ decision: { kind: 'human', policy: 'pol_42@7', quorum: 2, ...change } })
  const strict = { allowed_via: { critical: ['webauthn'] } }
  const slack = approvals({}, { via: 'slack' })
  const cases = [
    ['E1', 'header member order changed', 'PERMIT_NONCANONICAL', m.raw(`{"typ":"permit+jwt","alg":"${alg}","kid":"k1"}`, json)],
    ['E2', 'payload member order changed', 'PERMIT_NONCANONICAL', m.payload(JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(json)).reverse())))],
    ['E3', 'payload nested 100 deep, below the size cap', 'PERMIT_NONCANONICAL', m.payload(`${json.slice(0, -1)},"zz":${'['.repeat(100)}${']'.repeat(100)}}`)],
    ['E4', 'exp 1e+308 in canonical spelling', 'PERMIT_LIFETIME', m.with({ exp: 1e308 })],
    ['E5', 'permit of project A at project B', 'PERMIT_PROJECT', m.with({ project_id: 'prj_2' })],
    ['E6', 'ver 2', 'PERMIT_CLAIMS', m.with({ ver: 2 })],
    ['E7', 'uses 2', 'PERMIT_CLAIMS', m.with({ uses: 2 })],
    ['E8', 'unknown tier', 'PERMIT_CLAIMS', m.with({ risk_tier: 'none' })],
    ['E9', 'human decision without context_digest', 'PERMIT_CLAIMS', m.lacking('context_digest')],
    ['E10', 'authorization_details contradict the claims', 'PERMIT_CLAIMS', m.with(details({ actions: ['delete_account'] }))],
    ['E11', 'quorum 2, one approval', 'PERMIT_APPROVALS', m.with({ approvals: claims().approvals.slice(0, 1), approved_by: ['ada@example.com'] })],
    ['E12', 'the same person twice', 'PERMIT_APPROVALS', m.with(approvals({}, { by: 'user:usr_1' }))],
    ['E13', 'approvals not sorted', 'PERMIT_APPROVALS', m.with(approvals({ by: 'user:usr_9' }))],
    ['E14', 'approver is the subject', 'PERMIT_APPROVALS', m.with({ sub: 'user:usr_2' })],
    ['E15', 'policy decision where a person is demanded', 'PERMIT_APPROVALS', m.all(automatic()), requested],
    ['E16', 'critical, approved in Slack, where only webauthn counts', 'PERMIT_APPROVALS', m.with({ ...critical, ...slack }), strict],
    ['E17', 'not bound to a key where that is demanded', 'PERMIT_POP', m.with(critical), { require_proof: true }],
    ['E18', 'bound to a key, no proof', 'PERMIT_POP', m.with(bound)],
    ['E19', 'critical, bound to a key, with proof', 'ok', m.with({ ...critical, ...bound }), { proof: 'good', require_proof: true }],
    ['E20', 'revoked', 'PERMIT_REVOKED', m.with({}), { revoked: true }],
    ['E21', 'params are not an object', 'PARAMS_NOT_CANONICAL', m.with({}), { params: ['cust_4821', 50] }],

    ['tier-1', 'critical without cnf: a tier alone demands nothing', 'ok', m.with(critical)],
    ['tier-2', 'critical, approved in Slack, where every channel counts', 'ok', m.with({ ...critical, ...slack })],

    ['use-until-1', 'use_until missing', 'PERMIT_LIFETIME', m.lacking('use_until')],
    ['use-until-2', 'use_until text', 'PERMIT_LIFETIME', m.with({ use_until: String(now + 3600) })],
    ['use-until-3', 'use_until before exp', 'PERMIT_LIFETIME', m.with({ use_until: now + 299 })],
    ['use-until-4', 'use_until equals exp', 'ok', m.with({ use_until: now + 300 })],
    ['use-until-5', 'use_until 30 days after iat', 'ok', m.with({ use_until: now + 2_592_000 })],
    ['use-until-6', 'use_until later than the longest window', 'PERMIT_LIFETIME', m.with({ use_until: now + 2_592_001 })],
    ['use-until-7', 'use_until in milliseconds', 'PERMIT_LIFETIME', m.with({ use_until: (now + 3600) * 1000 })],

    ['time-1', 'last second of the skew', 'ok', m.with({}), { now: now + 304 }],
    ['time-2', 'first second after the skew', 'PERMIT_EXPIRED', m.with({}), { now: now + 305 }],
    ['time-3', 'issued as far ahead as the skew allows', 'ok', m.with({}), { now: now - 5 }],
    ['time-4', 'issued further ahead', 'PERMIT_NOT_YET_VALID', m.with({}), { now: now - 6 }],
    ['time-5', 'no skew', 'PERMIT_EXPIRED', m.with({}), { now: now + 300, skew_seconds: 0 }],
    ['time-6', 'the longest skew', 'ok', m.with({}), { now: now + 359, skew_seconds: 60 }],
    ['time-7', 'lives longer than the default allows', 'PERMIT_LIFETIME', m.with({ exp: now + 301 })],
    ['time-8', 'lives as long as any may, where that is allowed', 'ok', m.with({ exp: now + 3600 }), { max_lifetime_seconds: 3600 }],
    ['time-9', 'lives longer than any may', 'PERMIT_LIFETIME', m.with({ exp: now + 3601, use_until: now + 3601 }), { max_lifetime_seconds: 3600 }],
    ['time-10', 'nbf in the past', 'ok', m.with({ nbf: now - 1 })],
    ['time-11', 'nbf text', 'PERMIT_LIFETIME', m.with({ nbf: String(now) })],
    ['time-12', 'nbf null', 'PERMIT_LIFETIME', m.with({ nbf: null })],
    ['time-13', 'iat zero', 'PERMIT_LIFETIME', m.with({ iat: 0, exp: 300 })],

    ['claims-1', 'unknown claim', 'PERMIT_CLAIMS', m.with({ scope: 'admin' })],
    ['claims-2', 'raw params in the permit', 'PERMIT_CLAIMS', m.with({ params })],
    ['claims-3', 'unknown claim that is null', 'PERMIT_CLAIMS', m.with({ email: null })],
    ['claims-4', 'unknown claim named like a member of every object', 'PERMIT_CLAIMS', m.with({ constructor: 1 })],
    ['claims-5', 'ver missing', 'PERMIT_CLAIMS', m.lacking('ver')],
    ['claims-6', 'ver text', 'PERMIT_CLAIMS', m.with({ ver: '1' })],
    ['claims-7', 'uses missing', 'PERMIT_CLAIMS', m.lacking('uses')],
    ['claims-8', 'risk_tier missing', 'PERMIT_CLAIMS', m.lacking('risk_tier')],
    ['claims-9', 'sub empty', 'PERMIT_CLAIMS', m.with({ sub: '' })],
    ['claims-10', 'sub missing', 'PERMIT_CLAIMS', m.lacking('sub')],
    ['claims-11', 'sub of another presenter', 'PERMIT_CLAIMS', m.with({}), { subject: 'agent:other' }],
    ['claims-12', 'sub of the expected presenter', 'ok', m.with({}), { subject: 'agent:refund-agent-v1' }],
    ['claims-13', 'jti of another kind', 'PERMIT_CLAIMS', m.with({ jti: 'int_1' })],
    ['claims-14', 'intent_id of another kind', 'PERMIT_CLAIMS', m.with({ intent_id: 'pmt_1' })],
    ['claims-15', 'intent_id missing', 'PERMIT_CLAIMS', m.lacking('intent_id')],
    ['claims-16', 'text with an escape in its canonical spelling', 'ok', m.with({ approved_by: ['Ada "the boss"\n', 'Bo\u00eb \ud83d\ude00'] })],
    ['claims-17', 'text with an escape in another spelling', 'PERMIT_NONCANONICAL', m.edited('ada@', '\\u0061da@')],
    ['claims-18', 'half of a surrogate pair, escaped', 'PERMIT_NONCANONICAL', m.edited('ada@', '\\ud800@')],
    ['claims-19', 'solidus escaped', 'PERMIT_NONCANONICAL', m.edited('https://', 'https:\\/\\/')],
    ['claims-20', 'number with a fraction of zero', 'PERMIT_NONCANONICAL', m.edited('"ver":1', '"ver":1.0')],
    ['claims-21', 'whitespace after the payload', 'PERMIT_NONCANONICAL', m.payload(`${json} `)],
    ['claims-22', 'payload followed by more', 'PERMIT_MALFORMED', m.payload(`${json}{}`)],
    ['claims-23', 'members of an approval in another order', 'PERMIT_NONCANONICAL', m.edited(/"at":(\d+),"by":"user:usr_1"/, '"by":"user:usr_1","at":$1')],
    ['claims-24', 'duplicate member in an approval', 'PERMIT_NONCANONICAL', m.edited('"by":"user:usr_1"', '"by":"user:usr_0","by":"user:usr_1"')],

    ['encoding-1', 'payload padded, and signed so', 'PERMIT_ENCODING', m.sign(`${b64(canonical(m.header))}.${b64(stray)}==`)],
    ['encoding-2', 'stray bits in the payload, and signed so', 'PERMIT_ENCODING', m.sign(`${b64(canonical(m.header))}.${bumped(b64(stray))}`)],
    ['encoding-3', 'line feed in the payload, and signed so', 'PERMIT_ENCODING', m.sign(`${b64(canonical(m.header))}.${b64(json).replace('.', '')}\n`)],
    ['encoding-4', 'a character beyond the alphabet in the payload, and signed so', 'PERMIT_ENCODING', m.sign(`${b64(canonical(m.header))}.${b64(json)}!!!!`)],
    ['encoding-5', 'a letter whose low byte is in the alphabet, and signed so', 'PERMIT_ENCODING', m.sign(`${b64(canonical(m.header))}.${b64(json).replace('e', '\u0165')}`)],
    ['encoding-6', 'header padded, and signed so', 'PERMIT_ENCODING', m.sign(`${b64(canonical(m.header))}=.${b64(json)}`)],

    ['declared-by-1', 'declared_by missing', 'PERMIT_CLAIMS', m.lacking('declared_by')],
    ['declared-by-2', 'declared_by a person', 'PERMIT_CLAIMS', m.with({ declared_by: 'user:usr_1' })],
    ['declared-by-3', 'declared_by a key', 'ok', m.with({ declared_by: 'key:key_1', sub: 'key:key_1' })],
    ['declared-by-4', 'declared_by an id without its kind', 'PERMIT_CLAIMS', m.with({ declared_by: 'key_1' })],
    ['declared-by-5', 'approved by the key that declared', 'PERMIT_APPROVALS', m.with({ declared_by: 'key:key_1', ...approvals({ by: 'key:key_1' }) })],

    ['human-1', 'approved_by missing', 'PERMIT_CLAIMS', m.lacking('approved_by')],
    ['human-2', 'approved_by empty', 'PERMIT_CLAIMS', m.with({ approved_by: [] })],
    ['human-3', 'approved_by a text', 'PERMIT_CLAIMS', m.with({ approved_by: 'ada@example.com' })],
    ['human-4', 'approved_by with an empty label', 'PERMIT_CLAIMS', m.with({ approved_by: ['ada@example.com', ''] })],
    ['human-5', 'approved_by names more than approved', 'PERMIT_APPROVALS', m.with({ approved_by: ['ada@example.com', 'bob@example.com', 'eve@example.com'] })],
    ['human-6', 'approved_by names fewer than approved', 'PERMIT_APPROVALS', m.with({ approved_by: ['ada@example.com'] })],
    ['human-7', 'context_digest of another algorithm', 'PERMIT_CLAIMS', m.with({ context_digest: 'md5:xxxx' })],
    ['human-8', 'context_digest with stray bits', 'PERMIT_CLAIMS', m.with({ context_digest: bumped(claims().context_digest) })],
    ['human-9', 'no policy matched', 'ok', m.with(humanDecision({ policy: null }))],
    ['human-10', 'more approvals than the quorum', 'ok', m.with(humanDecision({ quorum: 1 }))],
    ['human-11', 'quorum 0', 'PERMIT_CLAIMS', m.with(humanDecision({ quorum: 0 }))],
    ['human-12', 'quorum fraction', 'PERMIT_CLAIMS', m.with(humanDecision({ quorum: 1.5 }))],
    ['human-13', 'quorum negative', 'PERMIT_CLAIMS', m.with(humanDecision({ quorum: -1 }))],
    ['human-14', 'policy without version', 'PERMIT_CLAIMS', m.with(humanDecision({ policy: 'pol_42' }))],
    ['human-15', 'decision with one more member', 'PERMIT_CLAIMS', m.with(humanDecision({ by: 'user:usr_1' }))],
    ['human-16', 'decision of another kind', 'PERMIT_CLAIMS', m.with(humanDecision({ kind: 'agent' }))],
    ['human-17', 'decision missing', 'PERMIT_CLAIMS', m.lacking('decision')],
    ['human-18', 'approvals missing', 'PERMIT_APPROVALS', m.lacking('approvals')],
    ['human-19', 'approvals an object', 'PERMIT_APPROVALS', m.with({ approvals: { 0: claims().approvals[0], length: 2 } })],
    ['human-20', 'approval with one more member', 'PERMIT_APPROVALS', m.with(approvals({ label: 'ada@example.com' }))],
    ['human-21', 'approval without evidence', 'PERMIT_APPROVALS', m.with({ approvals: claims().approvals.map((a) => without(a, 'ref')) })],
    ['human-22', 'approval through an unknown channel', 'PERMIT_APPROVALS', m.with(approvals({ via: 'email' }))],
    ['human-23', 'approval by no person', 'PERMIT_APPROVALS', m.with(approvals({ by: 'agent:agt_2' }))],
    ['human-24', 'approval at a text', 'PERMIT_APPROVALS', m.with(approvals({ at: String(now) }))],
    ['human-25', 'approval null', 'PERMIT_APPROVALS', m.with({ approvals: [claims().approvals[0], null] })],
    ['human-26', 'approvals through slack, teams', 'ok', m.with(approvals({ via: 'teams' }, { via: 'slack' }))],
    ['human-27', 'approvals through api, cli', 'ok', m.with(approvals({ via: 'api' }, { via: 'cli' }))],
    ['human-28', 'one of two channels does not count here', 'PERMIT_APPROVALS', m.with({}), { allowed_via: ['webauthn'] }],
    ['human-29', 'both channels count here', 'ok', m.with({}), { allowed_via: ['session', 'webauthn'] }],
    ['human-30', 'a person decided where one is demanded', 'ok', m.with({}), requested],
    ['human-31', 'approval whose evidence is no hash', 'PERMIT_APPROVALS', m.with(approvals({ ref: 'evidence' }))],
    ['human-32', 'approval whose evidence has stray bits', 'PERMIT_APPROVALS', m.with(approvals({ ref: bumped(evidence) }))],

    ['policy-1', 'approved by policy', 'ok', m.all(automatic())],
    ['policy-2', 'policy decision without a policy', 'PERMIT_CLAIMS', m.all({ ...automatic(), decision: policyDecision({ policy: null }) })],
    ['policy-3', 'policy decision with a quorum', 'PERMIT_CLAIMS', m.all({ ...automatic(), decision: policyDecision({ quorum: 1 }) })],
    ['policy-4', 'policy decision with approvals', 'PERMIT_APPROVALS', m.all({ ...automatic(), approvals: claims().approvals })],
    ['policy-5', 'policy decision with labels', 'PERMIT_CLAIMS', m.all({ ...automatic(), approved_by: ['ada@example.com'] })],
    ['policy-6', 'policy decision with context_digest', 'PERMIT_CLAIMS', m.all({ ...automatic(), context_digest: claims().context_digest })],

    ['optional-1', 'authorization_details repeat the claims', 'ok', m.with(details())],
    ['optional-2', 'authorization_details with one more member', 'PERMIT_CLAIMS', m.with(details({ amount: 50 }))],
    ['optional-3', 'authorization_details twice', 'PERMIT_CLAIMS', m.with({ authorization_details: [...details().authorization_details, ...details().authorization_details] })],
    ['optional-4', 'authorization_details empty', 'PERMIT_CLAIMS', m.with({ authorization_details: [] })],
    ['optional-5', 'audit', 'ok', m.with({ audit: { leaf: evidence, log: 'gate.example.com/audit/prj_1' } })],
    ['optional-6', 'audit without its log', 'PERMIT_CLAIMS', m.with({ audit: { leaf: evidence } })],
    ['optional-7', 'audit of a leaf that is no hash', 'PERMIT_CLAIMS', m.with({ audit: { leaf: 'leaf_1', log: 'gate.example.com/audit/prj_1' } })],
    ['optional-8', 'cnf with the key itself', 'PERMIT_CLAIMS', m.with({ cnf: { jwk: {} } }), { proof: 'good' }],
    ['optional-9', 'cnf null', 'PERMIT_CLAIMS', m.with({ cnf: null }), { proof: 'good' }],
    ['optional-10', 'bound to a key, bad proof', 'PERMIT_POP', m.with(bound), { proof: 'bad' }],
    ['optional-11', 'everything optional', 'ok', m.with({ ...details(), ...bound, nbf: now, audit: { leaf: evidence, log: 'gate.example.com/audit/prj_1' } }), { proof: 'good' }],
    ['optional-12', 'cnf of a thumbprint that is no hash', 'PERMIT_CLAIMS', m.with({ cnf: { jkt: 'thumb' } }), { proof: 'good' }],

    ['params-1', 'members in another order', 'ok', m.with({}), { params: { amount: 50, customer_id: 'cust_4821' } }],
    ['params-2', 'another amount', 'PERMIT_PARAMS', m.with({}), { params: { ...params, amount: 5000 } }],
    ['params-3', 'amount as a text', 'PERMIT_PARAMS', m.with({}), { params: { ...params, amount: '50' } }],
    ['params-4', 'one more member', 'PERMIT_PARAMS', m.with({}), { params: { ...params, note: null } }],
    ['params-5', 'one member less', 'PERMIT_PARAMS', m.with({}), { params: { amount: 50 } }],
    ['params-6', 'a look-alike letter', 'PERMIT_PARAMS', m.with({}), { params: { ...params, customer_id: '\u0441ust_4821' } }],
    ['params-7', 'composed and decomposed letters are different', 'PERMIT_PARAMS', m.with({ params_digest: digest({ name: 'Bo\u00eb' }) }), { params: { name: 'Boe\u0308' } }],
    ['params-8', 'letters beyond ASCII', 'ok', m.with({ params_digest: digest({ name: 'Bo\u00eb \ud83d\ude00' }) }), { params: { name: 'Bo\u00eb \ud83d\ude00' } }],
    ['params-9', 'integer beyond 2^53-1', 'PARAMS_NOT_CANONICAL', m.with({}), { params: { amount: 1e30 } }],
    ['params-10', 'member name that needs escaping', 'PARAMS_NOT_CANONICAL', m.with({}), { params: { 'a"b': 1 } }],
    ['params-11', 'U+0000', 'PARAMS_NOT_CANONICAL', m.with({}), { params: { a: 'x\u0000' } }],
    ['params-12', 'empty', 'ok', m.with({ params_digest: digest({}) }), { params: {} }],

    ['cross-1', 'project A at project B, with the default audience of each', 'PERMIT_AUDIENCE', m.with({ aud: 'urn:silentauth:prj_2:issue_refund', project_id: 'prj_2' }), { audience: 'urn:silentauth:prj_1:issue_refund' }],
    ['cross-2', 'the default audience of another action', 'PERMIT_AUDIENCE', m.with({ aud: 'urn:silentauth:prj_1:delete_account' }), { audience: 'urn:silentauth:prj_1:issue_refund' }],
    ['cross-3', 'the default audience', 'ok', m.with({ aud: 'urn:silentauth:prj_1:issue_refund' }), { audience: 'urn:silentauth:prj_1:issue_refund' }],
    ['cross-4', 'an embedded gate at a verifier of another', 'PERMIT_ISSUER', m.with({ iss: 'urn:silentauth:embedded:1' })],
    ['cross-5', 'project_id missing', 'PERMIT_PROJECT', m.lacking('project_id')],
    ['cross-6', 'project_id array', 'PERMIT_PROJECT', m.with({ project_id: ['prj_1'] })],

    ['order-1', 'wrong issuer comes before expired', 'PERMIT_ISSUER', m.with({ iss: 'https://evil.example' }), { now: now + 4000 }],
    ['order-2', 'expired comes before unknown claim', 'PERMIT_EXPIRED', m.with({ scope: 'admin' }), { now: now + 4000 }],
    ['order-3', 'unknown claim comes before revoked', 'PERMIT_CLAIMS', m.with({ scope: 'admin' }), { revoked: true }],
    ['order-4', 'revoked comes before another action', 'PERMIT_REVOKED', m.with({ action: 'delete_account' }), { revoked: true }],
    ['order-5', 'another action comes before bad params', 'PERMIT_ACTION', m.with({ action: 'delete_account' }), { params: { a: 1e30 } }],
    ['order-6', 'other params come before missing approvals', 'PERMIT_PARAMS', m.with({ approvals: [] }), { params: { amount: 1 } }],
    ['order-7', 'missing approvals come before a missing proof', 'PERMIT_APPROVALS', m.with({ approvals: [], ...bound })],
    ['order-8', 'another key comes before another payload', 'PERMIT_SIGNATURE', m.raw(canonical(m.header), 'xx', m.foreign)],
    ['order-9', 'length of the signature comes before the payload', 'PERMIT_SIGNATURE', `${b64(canonical(m.header))}.!.AAAA`],
  ]
  return cases.map(([id, name, expect, token, change]) => ({ id: `${alg}-${id}`, name, expect, token, ring: alg, ...(change && { options: change }) }))
}

// ── shared secrets ──────────────────────────────────────────────────────────

function hs256() {
  const m = mint('HS256')
  const nine = ['intent_id', 'action', 'risk_tier', 'iat', 'exp', 'params_digest', 'aud', 'jti', 'use_until']
  const minimal = only(claims(), ...nine.slice(0, 5))
  const least = only(claims(), ...nine)
  const unbound = { unbound_params: true }
  const good = m.with({})
  const [head, payload, signature] = good.split('.')
  const cases = [
    ['good', 'ok', good],
    ['another secret', 'PERMIT_SIGNATURE', m.with({}, {}, m.foreign)],
    ['signature one byte short', 'PERMIT_SIGNATURE', `${head}.${payload}.${b64(Buffer.from(signature, 'base64url').subarray(0, -1))}`],
    ['signature empty', 'PERMIT_ENCODING', `${head}.${payload}.`],
    ['alg none', 'PERMIT_ALG', `${b64(canonical({ ...m.header, alg: 'none' }))}.${payload}.`],
    ['RS256 under the kid of the secret', 'PERMIT_ALG', mint('RS256').with({}, { kid: 'hs256' })],
    ['RS256 permit where secrets are expected', 'PERMIT_KID_UNKNOWN', mint('RS256').with({})],
    ['typ JWT', 'PERMIT_TYP', m.with({}, { typ: 'JWT' })],
    ['the nine claims of the profile', 'ok', m.all(least)],
    ['the nine claims, other params', 'PERMIT_PARAMS', m.all(least), { params: { ...params, amount: 5000 } }],
    ['the nine claims, another action', 'PERMIT_ACTION', m.all({ ...least, action: 'delete_account' })],
    ['the nine claims, another audience', 'PERMIT_AUDIENCE', m.all({ ...least, aud: 'urn:other' })],
    ['the nine claims, another issuer named', 'PERMIT_ISSUER', m.all({ ...least, iss: 'https://evil.example' })],
    ['the nine claims, another project named', 'PERMIT_PROJECT', m.all({ ...least, project_id: 'prj_2' })],
    ['the nine claims, where a person is demanded', 'PERMIT_APPROVALS', m.all(least), { require_human: true }],
    ['the nine claims, where channels are demanded', 'PERMIT_APPROVALS', m.all(least), { allowed_via: ['webauthn'] }],
    ['the nine claims, where a proof is demanded', 'PERMIT_POP', m.all(least), { require_proof: true }],
    ['the nine claims and an unknown one', 'PERMIT_CLAIMS', m.all({ ...least, scope: 'admin' })],
    ['approvals without a decision', 'PERMIT_CLAIMS', m.all({ ...least, approvals: claims().approvals })],
    ['labels without a decision', 'PERMIT_CLAIMS', m.all({ ...least, approved_by: ['ada@example.com'] })],
    ['a decision short of its quorum', 'PERMIT_APPROVALS', m.with({ approvals: claims().approvals.slice(0, 1), approved_by: ['ada@example.com'] })],
    ['params_digest missing', 'PERMIT_CLAIMS', m.all(without(least, 'params_digest'))],
    ['aud missing', 'PERMIT_AUDIENCE', m.all(without(least, 'aud'))],
    ['jti missing', 'PERMIT_CLAIMS', m.all(without(least, 'jti'))],
    ['use_until missing', 'PERMIT_LIFETIME', m.all(without(least, 'use_until'))],
    ['only five claims', 'PERMIT_AUDIENCE', m.all(minimal)],
    ['only five claims, accepted as unbound', 'ok', m.all(minimal), unbound],
    ['unbound, another action', 'PERMIT_ACTION', m.all({ ...minimal, action: 'delete_account' }), unbound],
    ['unbound, expired', 'PERMIT_EXPIRED', m.all(minimal), { ...unbound, now: now + 305 }],
    ['unbound, lives for ten years', 'PERMIT_LIFETIME', m.all({ ...minimal, exp: now + 315_360_000 }), unbound],
    ['unbound, params_digest there and of other params', 'PERMIT_PARAMS', m.all({ ...minimal, params_digest: digest({}) }), unbound],
    ['unbound, aud there and another', 'PERMIT_AUDIENCE', m.all({ ...minimal, aud: 'urn:other' }), unbound],
    ['unbound, unknown tier', 'PERMIT_CLAIMS', m.all({ ...minimal, risk_tier: 'none' }), unbound],
    ['unbound, intent_id missing', 'PERMIT_CLAIMS', m.all(without(minimal, 'intent_id')), unbound],
    ['unbound, exp missing', 'PERMIT_LIFETIME', m.all(without(minimal, 'exp')), unbound],
    ['unbound, params that cannot be canonical', 'PARAMS_NOT_CANONICAL', m.all(minimal), { ...unbound, params: { a: 1e30 } }],
  ]
  return cases.map(([name, expect, token, change], index) => ({
    id: `HS256-${index}`,
    name,
    expect,
    token,
    ring: 'HS256',
    options: { profile: 'hs256', ...change },
  }))
}

// ── the file ────────────────────────────────────────────────────────────────

const publicMembers = ['kty', 'alg', 'kid', 'use', 'n', 'e', 'crv', 'x', 'y']
const rings = Object.fromEntries(
  Object.entries(keyFile.own).map(([alg, jwk]) => [alg, { keys: [alg === 'HS256' ? jwk : only(jwk, ...publicMembers)] }]),
)
const algs = ['RS256', 'ES256', 'EdDSA']
// What a permit says does not depend on how it is signed: one algorithm is enough for the profile, and EdDSA comes out the same.
const cases = [...algs.flatMap(attacks), ...profile('EdDSA'), ...hs256()]
const about = [
  'Permits and what a verifier must answer: ok, or the code of the first failing check. Made by generate-permits.mjs; the keys are test keys.',
  'Each case is verified with its ring and with `options` laid over the ones here. Instants are in seconds.',
  'options: proof good or bad is what the check of possession says, absent means none is there; revoked is what the revocation list says; allowed_via is a list, or lists by risk tier (others: all count).',
  'token_pad: the token is padded at its end with the character to the length. token_type object or bytes: not a text, but something that turns into it; skip where types rule it out.',
]
const head = JSON.stringify({ about, format: 1, options, rings }, null, 2).slice(0, -2)
writeFileSync(new URL('permits.json', import.meta.url), `${head},\n  "cases": [\n${cases.map((one) => `    ${JSON.stringify(one)}`).join(',\n')}\n  ]\n}\n`)
console.log(`permits.json: ${cases.length} cases`)
