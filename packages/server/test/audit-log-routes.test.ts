import {
  isConsistent,
  isIncluded,
  openCheckpoint,
  parseVkey,
  verifyAudit,
  verifyProofBundle,
  vkeyFingerprint,
} from '@silentauth/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type SignedInHeaders, type TestApp, testApp } from './test-app.js'

const SECRET = 'correct horse'

let test: TestApp
let auditor: SignedInHeaders
let owner: SignedInHeaders
let intent: string
beforeEach(async () => {
  test = await testApp()
  auditor = (await test.signIn({ roles: ['auditor'] })).headers
  owner = (await test.signIn({ roles: ['owner'] })).headers
  intent = (await test.declare({ parameters: { note: 'plain', password: SECRET } })).id
})
afterEach(() => test[Symbol.asyncDispose]())

function get(path: string, headers = auditor) {
  return test.ask('GET', `/api/audit/${path}`, { headers })
}

describe('GET /api/audit/checkpoint', () => {
  it('gives what was signed last, with the key and its fingerprint', async () => {
    expect((await get('checkpoint')).code).toBe('NOT_SEQUENCED')
    await test.log.settle()
    const { data } = (await get('checkpoint')).json
    const opened = await openCheckpoint(data.checkpoint, [await parseVkey(data.vkey)])
    expect(opened).toMatchObject({ size: data.size, root: data.root, origin: data.origin, epoch: 0 })
    expect(data.size).toBe(await test.gate.store.logSize(test.gate.project.id))
    expect(data.fingerprint).toBe(await vkeyFingerprint(test.log.vkey))
  })

  it('is not there where no log lives', async () => {
    const other = await testApp({ app: { log: undefined } })
    const { headers } = await other.signIn({ roles: ['auditor'] })
    expect((await other.ask('GET', '/api/audit/checkpoint', { headers })).code).toBe('GATE_UNAVAILABLE')
    await other[Symbol.asyncDispose]()
  })
})

describe('GET /api/audit/proof/{leaf}', () => {
  it('proves that each leaf is in the checkpoint, by id and by place', async () => {
    await test.log.settle()
    const leaves = await test.gate.store.leaves({ projectId: test.gate.project.id, from: 0, limit: 100 })
    for (const { id, sequence, hash } of leaves) {
      const { data } = (await get(`proof/${id}`)).json
      const { size, root, inclusion } = data
      expect(isIncluded({ leafHash: hash, index: sequence, size, root, proof: inclusion })).toBe(true)
      expect((await get(`proof/${sequence}`)).json.data).toEqual(data)
    }
  })

  it('proves that the log begins with what it was', async () => {
    await test.log.settle()
    const before = (await get('checkpoint')).json.data
    await test.declare()
    await test.declare()
    await test.log.settle()
    const { size, root, consistency } = (await get(`proof/0?since=${before.size}`)).json.data
    expect(size).toBeGreaterThan(before.size)
    const { since, proof } = consistency
    expect(isConsistent({ oldSize: since, oldRoot: before.root, size, root, proof })).toBe(true)
  })

  it('is not there for a leaf that no checkpoint covers', async () => {
    await test.log.settle()
    await test.declare()
    const place = (await test.gate.store.logSize(test.gate.project.id)) - 1
    expect((await get(`proof/${place}`)).code).toBe('NOT_SEQUENCED')
  })

  it.each([
    ['proof/leaf_00000000', 'NOT_FOUND'],
    ['proof/99999999', 'NOT_FOUND'],
    ['proof/-1', 'INVALID_FIELD'],
    ['proof/x', 'INVALID_FIELD'],
    ['proof/0?since=0', 'INVALID_FIELD'],
    ['proof/0?since=99999999', 'INVALID_FIELD'],
    ['proof/0?since=x', 'INVALID_FIELD'],
    ['proof/0?more=1', 'INVALID_FIELD'],
    ['export?size=0', 'INVALID_FIELD'],
    ['export?values=yes', 'INVALID_FIELD'],
    ['bundle/int_00000000', 'NOT_FOUND'],
  ])('%s is %s', async (path, code) => {
    await test.log.settle()
    expect((await get(path)).code).toBe(code)
  })
})

describe('GET /api/audit/export', () => {
  async function exported(headers: SignedInHeaders, query = '') {
    const { checkpoint, vkey, fingerprint } = (await get('checkpoint')).json.data
    const { text } = await get(`export${query}`, headers)
    return { text, trust: fingerprint, audit: { lines: text.split('\n'), checkpoint, vkeys: [vkey] } }
  }

  it('is whole, and verified with the checkpoint', async () => {
    await test.approve(intent)
    await test.log.settle()
    const { text, trust, audit } = await exported(auditor)
    expect(await verifyAudit(audit, { trust })).toMatchObject({ exitCode: 0, findings: [] })
    expect(text).not.toContain(SECRET)
  })

  it('ends with the checkpoint, also when the log has gone on', async () => {
    await test.log.settle()
    await test.declare()
    const { trust, audit } = await exported(auditor)
    expect(await verifyAudit(audit, { trust })).toMatchObject({ exitCode: 0 })
    const short = await exported(auditor, '?size=2')
    expect(short.text.trimEnd().split('\n')).toHaveLength(2)
  })

  it('has values for owners, and not for auditors', async () => {
    await test.log.settle()
    expect((await get('export?values=true')).code).toBe('FORBIDDEN')
    const { text, trust, audit } = await exported(owner, '?values=true')
    expect(text).toContain(SECRET)
    expect(await verifyAudit(audit, { trust })).toMatchObject({ exitCode: 0, withheld: 0 })
  })

  it('stops reading when the reader goes away', async () => {
    await test.log.settle()
    const response = await test.app.request('http://127.0.0.1:4747/api/audit/export', { headers: { ...auditor } })
    const reader = response.body?.getReader()
    expect((await reader?.read())?.done).toBe(false)
    await expect(reader?.cancel()).resolves.toBeUndefined()
  })
})

describe('GET /api/audit/bundle/{id}', () => {
  it('is proved by the fingerprint, and hides what the view hides', async () => {
    await test.approve(intent)
    expect((await get(`bundle/${intent}`)).code).toBe('NOT_SEQUENCED')
    await test.log.settle()
    const { text } = await get(`bundle/${intent}`)
    const trust = await vkeyFingerprint(test.log.vkey)
    const verdict = await verifyProofBundle(text, { trust })
    expect(verdict).toMatchObject({ exitCode: 0, bundle: { intent: { id: intent, status: 'approved' } } })
    expect(text).not.toContain(SECRET)
  })

  it('has values for owners, and not for auditors', async () => {
    await test.log.settle()
    expect((await get(`bundle/${intent}?values=true`)).code).toBe('FORBIDDEN')
    expect((await get(`bundle/${intent}?values=true`, owner)).text).toContain(SECRET)
  })
})
