import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type SignedInHeaders, type TestApp, testApp } from './test-app.js'

type SignedIn = Awaited<ReturnType<TestApp['signIn']>>

let test: TestApp
let lead: SignedIn
let deputy: SignedIn
beforeEach(async () => {
  test = await testApp()
  lead = await test.signIn({ roles: ['approver'], email: 'lead@example.com' })
  deputy = await test.signIn({ roles: ['approver'], email: 'deputy@example.com' })
  const approval = { allowed_approvers: ['lead@example.com'] }
  await test.gate.policies([{ name: 'the lead', match: {}, decision: 'require_approval', approval }])
})
afterEach(() => test[Symbol.asyncDispose]())

const instant = (seconds: number) => new Date(test.gate.clock.now() + seconds * 1000).toISOString()
const delegate = (by: SignedIn, body: object = {}, headers: SignedInHeaders = by.headers) =>
  test.ask('POST', `/api/people/${lead.person.id}/delegation`, {
    headers,
    body: { to: deputy.person.id, ends_at: instant(3600), ...body },
  })
const approve = async (id: string, by: SignedIn) => {
  const { intent_hash } = await test.review(id, by.headers)
  return test.ask('POST', `/api/inbox/${id}/approve`, { headers: by.headers, body: { intent_hash } })
}

describe('POST /api/people/{person}/delegation', () => {
  it('lets somebody else vote in this person’s stead, and the review says so before and after', async () => {
    const { status, json } = await delegate(lead)
    expect([status, json.data.delegation]).toEqual([
      200,
      { to: deputy.person.id, starts_at: instant(0), ends_at: instant(3600) },
    ])
    const { id } = await test.declare()
    expect((await test.review(id, deputy.headers)).can_vote).toEqual({
      ok: true,
      code: null,
      reason: null,
      on_behalf_of: 'lead@example.com',
    })
    const voted = await approve(id, deputy)
    expect(voted.json.data).toMatchObject({
      status: 'approved',
      votes: [{ by: 'deputy@example.com', on_behalf_of: 'lead@example.com' }],
    })
  })

  it('is not for who would stand in', async () => {
    expect((await delegate(deputy)).code).toBe('FORBIDDEN')
    const { id } = await test.declare()
    expect((await approve(id, deputy)).code).toBe('NOT_AN_APPROVER')
  })

  it('is not for an agent, whose key is refused as on every page of people', async () => {
    const refused = await test.ask('POST', `/api/people/${lead.person.id}/delegation`, {
      headers: test.agent,
      body: { to: deputy.person.id, ends_at: instant(3600) },
    })
    expect([refused.status, refused.code]).toEqual([403, 'FORBIDDEN'])
  })

  it.each([
    ['no time', { ends_at: undefined }, 'MISSING_FIELDS'],
    ['a time without its zone', { ends_at: '2026-01-01T00:00:00' }, 'INVALID_FIELD'],
    ['a member that is not known', { chain: true }, 'INVALID_FIELD'],
    ['no person', { to: 'somebody' }, 'INVALID_FIELD'],
    ['a person of nowhere', { to: 'usr_nobody' }, 'NOT_FOUND'],
  ])('refuses %s', async (_, body, code) => {
    expect((await delegate(lead, body)).code).toBe(code)
  })
})

describe('POST /api/people/{person}/delegation/end', () => {
  it.each([
    ['by the person', () => lead],
    ['by who stands in', () => deputy],
  ])('ends it at once, %s', async (_, by) => {
    await delegate(lead)
    const { id } = await test.declare()
    const ended = await test.ask('POST', `/api/people/${lead.person.id}/delegation/end`, {
      headers: by().headers,
      body: {},
    })
    expect([ended.status, ended.json.data.delegation]).toEqual([200, null])
    expect((await approve(id, deputy)).code).toBe('NOT_AN_APPROVER')
  })
})
