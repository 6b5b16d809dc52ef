import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { auditLeaf, commitment, leafHash } from '../src/audit.js'
import { canonicalJson } from '../src/canonical-json.js'

const DRAFT = {
  projectId: 'prj_1',
  actor: 'user:usr_ann',
  intentId: 'int_1',
  events: [
    { type: 'approval.recorded', intentId: 'int_1', data: { verdict: 'approve' } },
    { type: 'intent.approved', intentId: 'int_1', data: {} },
  ],
  values: { comment: 'for the crocodile' },
} as const
const NOW = Date.UTC(2026, 0, 5, 12)

describe('auditLeaf', () => {
  it('is canonical JSON with its events in order', () => {
    const { body, id } = auditLeaf(DRAFT, NOW)
    expect(canonicalJson(JSON.parse(body))).toBe(body)
    expect(JSON.parse(body)).toMatchObject({
      v: 1,
      id,
      at: '2026-01-05T12:00:00.000Z',
      project: 'prj_1',
      actor: 'user:usr_ann',
      intent_id: 'int_1',
      events: [{ type: 'approval.recorded' }, { type: 'intent.approved' }],
    })
  })

  it('commits to values without showing them', () => {
    const { body, payloads } = auditLeaf(DRAFT, NOW)
    const [payload] = payloads
    expect(body).not.toContain('crocodile')
    expect((JSON.parse(body) as { commit: object }).commit).toEqual({ comment: commitment(payload as never) })
  })

  it('commits to the same value differently each time, so that nobody can compare', () => {
    const [one, other] = [auditLeaf(DRAFT, NOW), auditLeaf(DRAFT, NOW)]
    const commits = [one, other].map(({ body }) => (JSON.parse(body) as { commit: { comment: string } }).commit.comment)
    expect(commits[0]).not.toBe(commits[1])
  })

  it('is one of a kind', () => {
    expect(auditLeaf(DRAFT, NOW).hash).not.toBe(auditLeaf(DRAFT, NOW).hash)
  })
})

it('hashes a leaf as RFC 6962 does, with its zero byte', () => {
  const bytes = Buffer.concat([Buffer.of(0), Buffer.from('body €')])
  expect(leafHash('body €')).toBe(createHash('sha256').update(bytes).digest('base64url'))
})

it('hashes the empty leaf as RFC 6962 does', () => {
  const known = '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'
  expect(Buffer.from(leafHash(''), 'base64url').toString('hex')).toBe(known)
})

it('binds a commitment to its salt and to the canonical value', () => {
  const expected = createHmac('sha256', 'salt').update('{"a":1,"b":2}').digest('base64url')
  expect(commitment({ salt: 'salt', value: { b: 2, a: 1 } })).toBe(`hmac-sha-256:${expected}`)
  expect(commitment({ salt: 'tlas', value: { b: 2, a: 1 } })).not.toBe(`hmac-sha-256:${expected}`)
})
