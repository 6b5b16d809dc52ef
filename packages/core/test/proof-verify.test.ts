import { beforeAll, describe, expect, it } from 'vitest'
import { auditLeaf, leafHash } from '../src/audit.js'
import type { AuditLine } from '../src/audit-line.js'
import { VALUES_ERASED } from '../src/audit-verify.js'
import { canonicalJson } from '../src/canonical-json.js'
import { type IntentId, newId } from '../src/id.js'
import type { Intent } from '../src/intent.js'
import { placeAt } from '../src/json-place.js'
import { hmacSha256 } from '../src/keyed-digest.js'
import { type ProofBundle, proofBundle } from '../src/proof-bundle.js'
import { verifyProofBundle } from '../src/proof-verify.js'
import { type NoteSigner, vkeyFingerprint } from '../src/signed-note.js'
import { type TestGate, testGate } from '../src/testing.js'
import { aBusyGate, aNoteSigner, attempt, declared, logOf, signedNow, vote, type Writable } from './a-log.js'

let test: TestGate
let redeemed: Intent
let signer: NoteSigner
let trust: string
let bundle: string

beforeAll(async () => {
  const busy = await aBusyGate()
  test = busy.test
  redeemed = busy.redeemed
  signer = await aNoteSigner(logOf(test))
  trust = await vkeyFingerprint(signer.vkey)
  await signedNow(test, signer)
  bundle = await bundleOf(redeemed.id)
})

function bundleOf(intentId: IntentId, options: { values?: boolean } = {}): Promise<string> {
  return proofBundle(test.store, { projectId: test.project.id, intentId, vkey: signer.vkey, ...options })
}

function changed(text: string, change: (bundle: Writable<ProofBundle>) => void): string {
  const parsed = JSON.parse(text) as Writable<ProofBundle>
  change(parsed)
  return canonicalJson(parsed)
}

describe('a proof bundle', () => {
  it('is proved by one fingerprint, and tells the story', async () => {
    const verdict = await verifyProofBundle(bundle, { trust })
    expect(verdict).toMatchObject({ exitCode: 0, findings: [], found: 0, checkpoint: { log: signer.name } })
    expect(verdict.bundle?.intent).toMatchObject({
      id: redeemed.id,
      status: 'approved',
      declared_by: `key:${test.key.id}`,
    })
    expect(verdict.bundle?.votes).toMatchObject([{ verdict: 'approve' }, { verdict: 'approve' }])
    expect(verdict.bundle?.permits).toMatchObject([{ intent_id: redeemed.id, approvals: [{}, {}], uses: 1 }])
    expect(verdict.bundle?.redemptions).toMatchObject([{ replayed: false }])
    expect(verdict.bundle?.timeline.flatMap(({ events }) => events)).toEqual([
      'intent.created',
      'approval.recorded',
      'approval.recorded',
      'intent.approved',
      'execution.started',
      'permit.issued',
      'permit.redeemed',
      'execution.reported',
    ])
  })

  it('shows no value but what permits say, unless it is asked to', async () => {
    expect(bundle).not.toContain('a crocodile"}","salt')
    expect(JSON.parse(bundle)).toMatchObject({ intent: { params: null }, votes: [{ comment: null }, {}] })
    const shown = await bundleOf(redeemed.id, { values: true })
    expect(JSON.parse(shown)).toMatchObject({
      intent: { params: redeemed.params, context: { reasoning: 'a crocodile' } },
      votes: [{ comment: 'fine' }, {}],
    })
    expect(await verifyProofBundle(shown, { trust })).toMatchObject({ exitCode: 0 })
  })

  it('is the same for its bytes', async () => {
    expect(await verifyProofBundle(new TextEncoder().encode(bundle), { trust })).toMatchObject({ exitCode: 0 })
  })

  it('is made of every intent, in whatever state it is', async () => {
    const { items } = await test.store.intents({ projectId: test.project.id, limit: 100 })
    expect(items.length).toBeGreaterThan(8)
    const statuses = new Set<unknown>()
    for (const { declaration } of items) {
      const verdict = await verifyProofBundle(await bundleOf(declaration.id, { values: true }), { trust })
      expect(verdict.findings).toEqual([])
      statuses.add(verdict.bundle?.intent.status)
    }
    expect([...statuses].sort()).toEqual([
      'approved',
      'cancelled',
      'changes_requested',
      'denied',
      'expired',
      'pending',
      'superseded',
    ])
  })

  it('tells one time of a vote, also where a lock was waited for', async () => {
    let now = Date.now()
    // Each look at the clock is later than the one before.
    const clock = { now: () => (now += 700), advance: () => undefined }
    const own = await testGate({ clock })
    const key = await aNoteSigner(logOf(own))
    const intent = await declared(own, {})
    await vote(own, own.approver, intent.id, { verdict: 'approve' })
    await own.gate.claim(intent.id, attempt(intent))
    await signedNow(own, key)
    const text = await proofBundle(own.store, { projectId: own.project.id, intentId: intent.id, vkey: key.vkey })
    expect(await verifyProofBundle(text, { trust: key.vkey })).toMatchObject({ exitCode: 0, findings: [] })
  })

  it('is not made before the checkpoint covers the intent', async () => {
    const own = await testGate()
    const { id } = await declared(own, {})
    const options = { projectId: own.project.id, intentId: id, vkey: signer.vkey }
    await expect(proofBundle(own.store, options)).rejects.toMatchObject({ code: 'NOT_SEQUENCED' })
    await signedNow(own, await aNoteSigner(logOf(own)))
    await expect(proofBundle(own.store, options)).resolves.toContain(id)
    await own.gate.cancel(id, 'late')
    await expect(proofBundle(own.store, options)).rejects.toMatchObject({ code: 'NOT_SEQUENCED' })
  })

  it('is not made for another project', async () => {
    const options = { projectId: 'prj_elsewhere', intentId: redeemed.id, vkey: signer.vkey } as const
    await expect(proofBundle(test.store, options)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is nothing under another key than the trusted one', async () => {
    const other = await aNoteSigner(signer.name)
    const verdict = await verifyProofBundle(bundle, { trust: await vkeyFingerprint(other.vkey) })
    expect(verdict).toMatchObject({
      exitCode: 1,
      findings: [{ field: 'vkey' }],
      checkpoint: undefined,
      bundle: undefined,
    })
    const pinned = await verifyProofBundle(bundle, { trust: other.vkey })
    expect(pinned).toMatchObject({ exitCode: 1, findings: [{ field: 'vkey' }, { field: 'checkpoint/signer' }] })
  })

  it.each(['', 'sha-256:', 'trust me'])('is not looked at under the trust %j', async (given) => {
    await expect(verifyProofBundle(bundle, { trust: given })).rejects.toThrow(TypeError)
  })

  it('whose values were erased is incomplete', async () => {
    const own = await testGate({ policies: [{ name: 'all', match: {}, decision: 'auto_approve', any_params: true }] })
    const key = await aNoteSigner(logOf(own))
    const { id } = await declared(own, { delivery: 'token' })
    const leaf = { projectId: own.project.id, actor: 'system:setup', intentId: id, values: {} }
    const events = [{ type: VALUES_ERASED, intentId: id, data: {} }]
    await own.store.transaction(async (tx) => {
      await tx.erasePayloads(own.project.id, id)
      await tx.appendLeaf(auditLeaf({ ...leaf, events }, own.clock.now()))
    })
    await signedNow(own, key)
    const text = await proofBundle(own.store, { projectId: own.project.id, intentId: id, vkey: key.vkey })
    const verdict = await verifyProofBundle(text, { trust: key.vkey })
    expect(verdict).toMatchObject({ exitCode: 3, findings: [{ kind: 'incomplete', field: 'permits' }] })
  })
})

describe('one byte off', () => {
  let small: NoteSigner

  it('is found in every place, and its member is named', async () => {
    const bundle = await smallBundle()
    const fingerprint = await vkeyFingerprint(small.vkey)
    const bytes = new TextEncoder().encode(bundle)
    const values = insideValues(bytes)
    const decoder = new TextDecoder()
    const accepted: number[] = []
    const unnamed: number[] = []
    const elsewhere: string[] = []
    for (let at = 0; at < bytes.length; at++) {
      // Another bit in each place: letters become others, digits and marks too.
      const flipped = bytes.with(at, (bytes[at] as number) ^ (1 << (at % 8)))
      const { exitCode, findings } = await verifyProofBundle(flipped, { trust: fingerprint })
      if (exitCode !== 1) accepted.push(at)
      const place = placeAt(bundle, decoder.decode(bytes.subarray(0, at + 1)).length - 1)
      const [first] = findings
      if (!first || (first.field === '' && place !== '')) unnamed.push(at)
      else if (values.has(at) && !isMark(flipped[at]) && !isNear(first.field, place))
        elsewhere.push(`${place}: ${first.field}: ${first.reason}`)
    }
    expect(bytes.length).toBeGreaterThan(5000)
    expect(accepted).toEqual([])
    expect(unnamed).toEqual([])
    expect(elsewhere).toEqual([])
  }, 300_000)

  /** One vote, one permit, one redemption. */
  async function smallBundle(): Promise<string> {
    const own = await testGate()
    small = await aNoteSigner(logOf(own))
    const intent = await declared(own, {})
    const { id, paramsDigest, audience } = intent
    await vote(own, own.approver, id, { verdict: 'approve' })
    const claim = await own.gate.claim(id, attempt(intent))
    if (claim.type !== 'granted') throw new Error(`the claim was ${claim.type}`)
    const request = { token: claim.permit, redemptionId: newId('int'), action: 'issue_refund', paramsDigest, audience }
    await own.local.counter.redeem((await own.addKey({ kind: 'verifier' })).principal, request)
    await signedNow(own, small)
    return proofBundle(own.store, { projectId: own.project.id, intentId: id, vkey: small.vkey })
  }

  /** Bytes within texts and numbers: marks and names belong to two members, or become names of their own. */
  function insideValues(bytes: Uint8Array): ReadonlySet<number> {
    const found = new Set<number>()
    const text = Buffer.from(bytes).toString('latin1')
    for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"(:?)|[\d.-]+/g)) {
      const isText = token.startsWith('"')
      if (token.endsWith(':')) continue
      for (let at = isText ? 1 : 0; at < token.length - (isText ? 1 : 0); at++) {
        if (!isMark(bytes[index + at])) found.add(index + at)
      }
    }
    return found
  }

  /** A quote or a backslash: with one more or less of them, texts end elsewhere. */
  function isMark(byte: number | undefined): boolean {
    return byte === 0x22 || byte === 0x5c
  }

  /** The same member, one around it, or one in it. */
  function isNear(named: string, place: string): boolean {
    const [one, other] = [named.split('/'), place.split('/')]
    return other.every((step, index) => index >= one.length || one[index] === step)
  }
})

describe('a whole change is named', () => {
  it.each<[string, (bundle: Writable<ProofBundle>) => void, string]>([
    ['the status', (b) => (b.intent = { ...b.intent, status: 'denied' }), 'intent/status'],
    ['the intent', (b) => (b.intent = { ...b.intent, id: 'int_other' }), 'intent/id'],
    ['a vote', (b) => (b.votes = b.votes.map((each) => ({ ...each, verdict: 'deny' }))), 'votes/0/verdict'],
    ['a vote left out', (b) => (b.votes = b.votes.slice(1)), 'votes/0/at'],
    ['a vote invented', (b) => (b.votes = [...b.votes, b.votes[0] as never]), 'votes/2'],
    ['a permit left out', (b) => (b.permits = []), 'permits/0'],
    ['how long a permit lived', (b) => (b.permits = b.permits.map((each) => ({ ...each, exp: 1 }))), 'permits/0/exp'],
    ['a redemption left out', (b) => (b.redemptions = []), 'redemptions/0'],
    ['a member more', (b) => Object.assign(b.intent, { note: 'trust me' }), 'intent/note'],
    ['a leaf left out', (b) => (b.leaves = b.leaves.slice(0, -1)), 'timeline/5'],
    ['its first leaf left out', (b) => (b.leaves = b.leaves.slice(1)), 'leaves'],
    ['a leaf twice', (b) => (b.leaves = [...b.leaves, b.leaves.at(-1) as never]), 'leaves/6/sequence'],
    [
      'two leaves swapped',
      (b) => (b.leaves = b.leaves.toSpliced(1, 2, b.leaves[2] as never, b.leaves[1] as never)),
      'leaves/2/sequence',
    ],
    ['a proof cut', (b) => change(b, 0, (leaf) => (leaf.proof = leaf.proof.slice(1))), 'leaves/0/proof'],
    ['a proof longer', (b) => change(b, 0, (leaf) => (leaf.proof = [...leaf.proof, leafHash('x')])), 'leaves/0/proof'],
    ['a body with its hash', (b) => change(b, 1, rewritten), 'leaves/1/proof'],
    [
      'a value of a permit withheld',
      (b) => change(b, 3, (leaf) => (leaf.payloads = { permit: 'withheld' })),
      'permits/0',
    ],
    ['a value of a permit erased', (b) => change(b, 3, (leaf) => (leaf.payloads = { permit: null })), 'permits/0'],
    ['the type', (b) => Object.assign(b, { type: 'proof' }), 'type'],
    ['the version', (b) => Object.assign(b, { v: 2 }), 'v'],
    ['a section missing', (b) => Object.assign(b, { votes: undefined }) && Reflect.deleteProperty(b, 'votes'), 'votes'],
    ['a section more', (b) => Object.assign(b, { more: 1 }), 'more'],
  ])('%s', async (_, edit, field) => {
    const { exitCode, findings, bundle: proved } = await verifyProofBundle(changed(bundle, edit), { trust })
    expect(exitCode).toBe(1)
    expect(proved).toBeUndefined()
    expect(findings.map((finding) => finding.field)).toContain(field)
  })

  it.each([
    ['erased', null],
    ['withheld', 'withheld'],
  ] as const)('a permit whose claims are %s is missed, also where the bundle lists none', async (_, payload) => {
    const none = changed(bundle, (b) => {
      change(b, 3, (leaf) => (leaf.payloads = { permit: payload }))
      b.permits = []
    })
    const { exitCode, findings } = await verifyProofBundle(none, { trust })
    expect([exitCode, findings.map(({ kind, field }) => [kind, field])]).toEqual([3, [['incomplete', 'permits']]])
  })

  function change(
    b: Writable<ProofBundle>,
    index: number,
    edit: (leaf: Writable<ProofBundle['leaves'][number]>) => void,
  ) {
    b.leaves = b.leaves.map((leaf, at) => {
      const copy = { ...leaf }
      if (at === index) edit(copy)
      return copy
    })
  }

  function rewritten(leaf: Writable<Pick<AuditLine, 'body' | 'hash'>>) {
    leaf.body = leaf.body.replace('"approve"', '"deny"')
    leaf.hash = leafHash(leaf.body)
  }

  it.each([
    ['whitespace', (text: string) => text.replace(':', ': '), 'checkpoint'],
    ['a line feed at the end', (text: string) => `${text}\n`, ''],
    ['a byte order mark', (text: string) => `\ufeff${text}`, ''],
    ['a member twice', (text: string) => text.replace(/"v":1,("view":")/, '"v":1,"v":1,$1'), 'v'],
    ['nothing', () => '', 'type'],
    ['another file', () => '[]', ''],
  ])('%s', async (_, edit, field) => {
    const { exitCode, findings } = await verifyProofBundle(edit(bundle), { trust })
    expect(exitCode).toBe(1)
    expect(findings[0]).toMatchObject({ field })
  })
})

describe('a bundle of a stranger', () => {
  /** The claims of its permit, as text; committed to, so that nothing else is wrong with them. */
  function withClaims(text: (claims: string) => string): string {
    return changed(bundle, (own) => {
      for (const leaf of own.leaves) {
        const { permit } = leaf.payloads
        if (!permit || permit === 'withheld') continue
        const json = text(permit.json)
        const body = JSON.parse(leaf.body)
        body.commit.permit = `hmac-sha-256:${hmacSha256(permit.salt, json)}`
        const shown = {
          ...leaf,
          body: canonicalJson(body),
          payloads: { ...leaf.payloads, permit: { ...permit, json } },
        }
        Object.assign(leaf, shown, { hash: leafHash(shown.body) })
      }
    })
  }

  it.each<[string, (claims: string) => string]>([
    ['a number that is none', (claims) => claims.replace(/"exp":\d+/, '"exp":1e999')],
    ['a member twice', (claims) => claims.replace('{', '{"jti":"pmt_other",')],
    ['a claim that is half a character', (claims) => claims.replace(/"action":"/, '$&\\ud800')],
    ['another spelling', (claims) => claims.replace(':', ': ')],
    ['depth', (claims) => claims.replace(/"aud":"[^"]*"/, `"aud":${'['.repeat(5000)}${']'.repeat(5000)}`)],
    ['no JSON', () => '{'],
  ])('with %s behind a commitment is refused by name, and never thrown over', async (_, edit) => {
    const { exitCode, findings } = await verifyProofBundle(withClaims(edit), { trust })
    expect(exitCode).toBe(1)
    expect(findings.map(({ field }) => field)).toContainEqual(expect.stringMatching(/^leaves\/\d+\/payloads\/permit$/))
  })

  it('is refused where its text is broken behind megabytes of escapes', async () => {
    const text = `{"checkpoint":"${'\\n'.repeat(4_000_000)}",x`
    expect(await verifyProofBundle(text, { trust })).toMatchObject({ exitCode: 1, found: 1, bundle: undefined })
  })

  it('is proved with more than a thousand leaves, as one has of which many values were looked at', async () => {
    const own = await testGate()
    const key = await aNoteSigner(logOf(own))
    const intent = await declared(own, {})
    const actor = 'user:usr_one'
    for (let looked = 0; looked < 1001; looked++) {
      const data = { by: actor, pointer: `/${looked}`, hidden_by: 'detector' }
      const events = [{ type: 'value.revealed', intentId: intent.id, data }]
      const draft = { projectId: own.project.id, actor, intentId: intent.id, events, values: {} }
      await own.store.transaction((tx) => tx.appendLeaf(auditLeaf(draft, own.clock.now())))
      if (looked === 500) await signedNow(own, key)
    }
    await signedNow(own, key)
    const text = await proofBundle(own.store, { projectId: own.project.id, intentId: intent.id, vkey: key.vkey })
    const { exitCode, findings } = await verifyProofBundle(text, { trust: key.vkey })
    expect([exitCode, findings]).toEqual([0, []])
  })
})

describe('a gate that signs what it likes', () => {
  /** What the gate stored is changed before it is hashed, in the intent of another gate. */
  async function lying(edit: (state: Record<string, unknown>) => void): Promise<readonly string[]> {
    const own = await testGate()
    const key = await aNoteSigner(logOf(own))
    const intent = await declared(own, {})
    await vote(own, own.approver, intent.id, { verdict: 'approve' })
    await own.gate.claim(intent.id, attempt(intent))
    await signedNow(own, key)
    const store = {
      ...own.store,
      intent: async (id: IntentId) => {
        const state = structuredClone(await own.store.intent(id)) as unknown as { declaration: Record<string, unknown> }
        edit(state.declaration.view as Record<string, unknown>)
        return state as never
      },
    }
    const text = await proofBundle(store, { projectId: own.project.id, intentId: intent.id, vkey: key.vkey })
    const { exitCode, findings } = await verifyProofBundle(text, { trust: key.vkey })
    expect(exitCode).toBe(1)
    return findings.map(({ field }) => field)
  }

  it.each([
    ['other params', 'view/params', (view: Record<string, unknown>) => (view.params = { amount: 1 })],
    ['another action', 'view/action', (view: Record<string, unknown>) => (view.action = 'other')],
    ['another audience', 'permits/0/aud', (view: Record<string, unknown>) => (view.aud = 'other')],
    ['another quorum', 'view/approvals_required', (view: Record<string, unknown>) => (view.approvals_required = 0)],
    ['any other view', 'view', (view: Record<string, unknown>) => (view.expires_at = 'never')],
  ])('cannot show %s than was voted on', async (_, field, edit) => {
    expect(await lying(edit)).toContain(field)
  })

  it.each([
    ['issued', 'permit.issued'],
    ['redeemed', 'permit.redeemed'],
  ])('cannot leave out what a permit says that it %s', async (_, type) => {
    const own = await testGate()
    const key = await aNoteSigner(logOf(own))
    const intent = await declared(own, {})
    await vote(own, own.approver, intent.id, { verdict: 'approve' })
    const actor = `key:${own.key.id}`
    const append = (events: Parameters<typeof auditLeaf>[0]['events']) => {
      const draft = { projectId: own.project.id, actor, intentId: intent.id, events, values: {} }
      return own.store.transaction((tx) => tx.appendLeaf(auditLeaf(draft, own.clock.now())))
    }
    const about = { intentId: intent.id, data: { permit_id: 'pmt_hidden', by: own.key.id, replayed: false } }
    await append([{ ...about, type: 'permit.issued' }])
    if (type !== 'permit.issued') await append([{ ...about, type }])
    await signedNow(own, key)
    const text = await proofBundle(own.store, { projectId: own.project.id, intentId: intent.id, vkey: key.vkey })
    const { exitCode, findings } = await verifyProofBundle(text, { trust: key.vkey })
    expect([exitCode, findings.map(({ field }) => field)]).toEqual([1, ['permits']])
  })
})
