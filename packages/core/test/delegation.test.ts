import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chainAfter } from '../src/declare.js'
import type { JsonObject } from '../src/json.js'
import type { Delegation, Person, Principal } from '../src/registry.js'
import { type TestGate, testGate } from '../src/testing.js'
import { aPerson, aScene, HOUR, NOW, type Scene, SECOND } from './a-scene.js'
import { refusalOf } from './refusal-of.js'

const AWAY = (to: string, times: Partial<Delegation> = {}): Pick<Person, 'delegation'> => ({
  delegation: { to: `usr_${to}`, startsAt: NOW - HOUR, endsAt: NOW + HOUR, ...times },
})
/** Lena alone is named; sam stands in for her, and has the role of an approver. */
const lena = (details: Partial<Person> = {}) => aPerson('lena', { ...AWAY('sam'), ...details })
const sam = (details: Partial<Person> = {}) => aPerson('sam', details)
const named = (people: readonly Person[], approval: JsonObject = {}, policy: JsonObject = {}): Scene =>
  aScene({
    people: [aPerson('mia'), ...people],
    policies: [
      { decision: 'require_approval', approval: { allowed_approvers: ['lena@example.com'], ...approval }, ...policy },
    ],
  })

describe('a vote in somebody else’s stead', () => {
  it('I9 counts, and says whose it is', () => {
    const scene = named([lena(), sam()])
    const { state, events } = scene.vote(scene.declare(), 'usr_sam')
    expect(state).toMatchObject({
      status: 'approved',
      approvals: [{ by: 'user:usr_sam', label: 'sam@example.com' }],
      votes: [{ by: 'usr_sam', onBehalfOf: { id: 'usr_lena', label: 'lena@example.com' } }],
    })
    expect(events[0]?.data).toMatchObject({ by: 'user:usr_sam', on_behalf_of: 'user:usr_lena' })
  })

  it.each([
    ['the instant that it begins', { startsAt: NOW }, undefined],
    ['a moment before', { startsAt: NOW + 1 }, 'NOT_AN_APPROVER'],
    ['its last moment', { endsAt: NOW + 1 }, undefined],
    ['its end', { endsAt: NOW }, 'NOT_AN_APPROVER'],
  ])('I9 is judged when it is cast: %s', (_, times, code) => {
    const scene = named([lena(AWAY('sam', times)), sam()])
    expect(refusalOf(() => scene.vote(scene.declare(), 'usr_sam'))?.code).toBe(code)
  })

  it.each<[string, Person[]]>([
    ['nobody delegated', [lena({ delegation: undefined }), sam()]],
    ['another one is the delegate', [lena(AWAY('mia')), sam()]],
    ['the absent one is disabled', [lena({ status: 'disabled' }), sam()]],
    ['the delegate is no approver', [lena(), sam({ roles: ['developer'] })]],
    ['the absent one could not vote either', [lena({ email: 'other@example.com' }), sam()]],
    ['it came by two steps', [lena(AWAY('mia')), aPerson('mia', AWAY('sam')), sam()]],
  ])('I9 does not count where %s', (_, people) => {
    const scene = aScene({
      people,
      policies: [{ decision: 'require_approval', approval: { allowed_approvers: ['lena@example.com'] } }],
    })
    expect(refusalOf(() => scene.vote(scene.declare(), 'usr_sam'))?.code).toBe('NOT_AN_APPROVER')
  })

  it('I9 still counts once the delegation has ended, and no longer once either of the two was removed', () => {
    const both = { approvers_required: 2, allowed_approvers: ['lena@example.com', 'mia@example.com'] }
    const scene = named([lena(), sam()], both)
    const state = scene.vote(scene.declare(), 'usr_sam').state
    const now = (people: readonly Person[]) => {
      const later = scene.with({ people: [aPerson('mia'), ...people] })
      return later.vote(state, 'usr_mia').state.status
    }
    expect([
      now([lena({ delegation: undefined }), sam()]),
      now([lena({ status: 'disabled' }), sam()]),
      now([lena(), sam({ status: 'disabled' })]),
      now([lena(), sam({ roles: [] })]),
    ]).toEqual(['approved', 'pending', 'pending', 'pending'])
  })

  it.each<[string, Person[], string]>([
    ['whoever is away asked for it', [lena(), sam()], 'lena@example.com'],
    ['an account of whoever is away did', [lena({ linked: ['usr_alt'] }), aPerson('alt'), sam()], 'alt@example.com'],
    ['the delegate asked for it', [lena(), sam()], 'sam@example.com'],
    ['an account of the delegate did', [lena(), sam({ linked: ['usr_alt'] }), aPerson('alt')], 'alt@example.com'],
  ])('I11 is refused where %s', (_, people, requestedBy) => {
    const scene = named(people)
    const state = scene.declare({ requestedBy })
    const code = refusalOf(() => scene.vote(state, 'usr_sam'))?.code
    expect(code).toMatch(/^(NOT_AN_APPROVER|SELF_APPROVAL)$/)
  })

  it('I9 is one seat: neither of the two votes again, nor whoever stands in for the delegate', () => {
    const both = { approvers_required: 2, allowed_approvers: ['lena@example.com', 'mia@example.com'] }
    const scene = named([lena(), sam(AWAY('tom')), aPerson('tom')], both)
    const state = scene.vote(scene.declare(), 'usr_sam').state
    const codes = ['usr_sam', 'usr_lena', 'usr_tom'].map(
      (by) => refusalOf(() => scene.vote(state, by as `usr_${string}`))?.code,
    )
    expect([state.status, codes]).toEqual(['pending', ['ALREADY_VOTED', 'ALREADY_VOTED', 'NOT_AN_APPROVER']])
  })

  it('I9 is one seat also for votes that came to be one person’s by a link that was made later', () => {
    const both = {
      approvers_required: 2,
      allowed_approvers: ['lena@example.com', 'mia@example.com', 'ned@example.com'],
    }
    const people = [lena(), sam(), aPerson('ned')]
    const scene = named(people, both)
    const state = scene.vote(scene.declare(), 'usr_sam').state
    const linked = scene.with({ people: [aPerson('mia', { linked: ['usr_sam'] }), ...people] })
    expect(refusalOf(() => linked.vote(state, 'usr_mia'))?.code).toBe('ALREADY_VOTED')
    expect(linked.vote(state, 'usr_ned').state.status).toBe('approved')
  })

  it('I9 counts for the groups of whoever is away, not for those of the delegate', () => {
    const approval = { allowed_approvers: ['lena@example.com'], all_of: [{ group: 'security', count: 1 }] }
    const absent = named([lena({ groups: ['security'] }), sam()], approval)
    const delegate = named([lena(), sam({ groups: ['ops'] })], {
      allowed_approvers: ['lena@example.com'],
      all_of: [{ group: 'ops', count: 1 }],
    })
    expect([
      absent.vote(absent.declare(), 'usr_sam').state.status,
      // Of the demanded group, and so in their own right.
      delegate.vote(delegate.declare(), 'usr_sam').state.votes[0]?.onBehalfOf,
    ]).toEqual(['approved', undefined])
  })

  it('I11 makes editors of both', () => {
    const edits = { schema: { type: 'object' } }
    const scene = named([lena(), sam()])
    const edited = scene.vote(scene.declare({ edits }), 'usr_sam', { params: { customer_id: 'cust_4821', amount: 1 } })
    expect(chainAfter(edited.state, scene.facts).editors).toEqual(['usr_sam', 'usr_lena'])
  })

  it('takes the seat of the first who has not voted, and of one only', () => {
    const both = { approvers_required: 2, allowed_approvers: ['lena@example.com', 'olga@example.com'] }
    const scene = named([lena(), aPerson('olga', AWAY('sam')), sam()], both)
    const state = scene.vote(scene.vote(scene.declare(), 'usr_lena').state, 'usr_sam').state
    expect([state.status, state.votes[1]?.onBehalfOf?.id]).toEqual(['approved', 'usr_olga'])
  })

  it('I3 denies, once', () => {
    const scene = named([lena(), sam()], { deny_threshold: 2 })
    const denied = scene.vote(scene.declare(), 'usr_sam', { verdict: 'deny' }).state
    expect([denied.status, refusalOf(() => scene.vote(denied, 'usr_lena', { verdict: 'deny' }))?.code]).toEqual([
      'pending',
      'ALREADY_VOTED',
    ])
  })
})

describe('who may delegate', () => {
  let test: TestGate
  let lead: Principal
  let deputy: Principal
  let admin: Principal
  beforeEach(async () => {
    test = await testGate()
    lead = await test.person()
    deputy = await test.person()
    admin = await test.person({ roles: ['admin'] })
  })
  afterEach(() => test[Symbol.asyncDispose]())
  const registrar = () => test.local.registrar
  const until = (seconds = 3600) => test.clock.now() + seconds * SECOND
  const draft = (to: Principal = deputy) => ({ to: to.id, endsAt: until() })
  const held = async () => (await test.store.person(lead.id))?.delegation
  const leaves = async () => (await test.store.leaves({ projectId: test.project.id, from: 0, limit: 1000 })).length

  it('is the person, and an owner or admin, each time with one leaf; who stands in may end it', async () => {
    const owner = await test.person({ roles: ['owner'] })
    const before = await leaves()
    for (const by of [lead, admin, owner]) {
      await registrar().delegate(by, lead.id, draft())
      expect(await held()).toEqual({ to: deputy.id, startsAt: test.clock.now(), endsAt: until() })
      await registrar().endDelegation(deputy, lead.id)
      expect(await held()).toBeUndefined()
    }
    expect((await leaves()) - before).toBe(6)
  })

  it('is nobody else, neither to set nor to end it', async () => {
    const others = [deputy, await test.person({ roles: ['auditor'] }), await test.person({ roles: ['developer'] })]
    const before = await leaves()
    for (const by of others) {
      await expect(registrar().delegate(by, lead.id, draft())).rejects.toMatchObject({ code: 'FORBIDDEN' })
      await expect(registrar().endDelegation(by, lead.id)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    }
    await test.change(lead, { status: 'disabled' })
    await expect(registrar().delegate(lead, lead.id, draft())).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect([await held(), (await leaves()) - before]).toEqual([undefined, 1])
  })

  it('is no admin in favour of themselves, of an account of theirs, or for an owner', async () => {
    const owner = await test.person({ roles: ['owner'] })
    const alt = await test.person({ linked: [admin.id] })
    await test.change(admin, { linked: [alt.id] })
    const forbidden = { code: 'FORBIDDEN' }
    await expect(registrar().delegate(admin, lead.id, draft(admin))).rejects.toMatchObject(forbidden)
    await expect(registrar().delegate(admin, lead.id, draft(alt))).rejects.toMatchObject(forbidden)
    await expect(registrar().delegate(admin, owner.id, draft())).rejects.toMatchObject(forbidden)
    expect(await held()).toBeUndefined()
  })

  it.each<[string, () => Promise<object> | object, string]>([
    ['to themselves', () => draft(lead), 'to'],
    ['to a linked account', async () => draft(await test.person({ linked: [lead.id] })), 'to'],
    [
      'to an account that another one links to them',
      async () => {
        const between = await test.person({ linked: [lead.id] })
        return draft(await test.person({ linked: [between.id] }))
      },
      'to',
    ],
    ['to a developer', async () => draft(await test.person({ roles: ['developer'] })), 'to'],
    ['until now', () => ({ ...draft(), endsAt: until(0) }), 'ends_at'],
    ['until before it begins', () => ({ ...draft(), startsAt: until(7200) }), 'ends_at'],
    ['for longer than 90 days', () => ({ ...draft(), endsAt: until(90 * 86_400 + 1) }), 'ends_at'],
    ['until no time at all', () => ({ ...draft(), endsAt: Number.NaN }), 'ends_at'],
  ])('cannot do it %s', async (_, make, field) => {
    const refused = registrar().delegate(lead, lead.id, (await make()) as ReturnType<typeof draft>)
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_FIELD', field })
    expect(await held()).toBeUndefined()
  })

  it('finds nobody of another project', async () => {
    const refused = registrar().delegate(lead, lead.id, { to: 'usr_stranger', endsAt: until() })
    await expect(refused).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('never makes it begin in the past, and writes nothing where nothing changes', async () => {
    await registrar().delegate(lead, lead.id, { ...draft(), startsAt: 0 })
    expect((await held())?.startsAt).toBe(test.clock.now())
    const before = await leaves()
    test.clock.advance(SECOND)
    await registrar().delegate(lead, lead.id, { to: deputy.id, endsAt: until() - SECOND })
    await registrar().endDelegation(deputy, lead.id)
    await registrar().endDelegation(lead, lead.id)
    expect((await leaves()) - before).toBe(1)
  })

  it('keeps it when somebody changes their groups, and shows the vote to who reviews', async () => {
    await registrar().delegate(lead, lead.id, draft())
    await registrar().addGroup(admin, 'leads')
    await registrar().setMember(admin, 'leads', lead.id, true)
    await test.policies([{ match: {}, decision: 'require_approval', approval: { allowed_approvers: ['leads'] } }])
    const { id } = await test.gate.declare({ action: 'issue_refund', params: {} })
    const { desk } = test.local
    const review = await desk.read(deputy, id)
    expect(review.canVote).toMatchObject({ ok: true, onBehalfOf: { id: lead.id } })
    const after = await desk.vote(deputy, id, { verdict: 'approve', intentHash: review.intentHash })
    const { email } = (await test.store.person(lead.id)) as Person
    expect([after.status, after.votes[0]?.onBehalfOf]).toEqual(['approved', email])
  })
})
