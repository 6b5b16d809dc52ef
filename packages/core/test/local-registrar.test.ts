import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newId } from '../src/id.js'
import type { AgentDraft, KeyDraft } from '../src/registrar.js'
import type { Agent, Person, Principal, Role } from '../src/registry.js'
import { type TestGate, testGate } from '../src/testing.js'

let test: TestGate
let owner: Principal
let admin: Principal
beforeEach(async () => {
  test = await testGate()
  owner = await test.person({ roles: ['owner'] })
  admin = await test.person({ roles: ['admin'] })
})
afterEach(() => test[Symbol.asyncDispose]())

const registrar = () => test.local.registrar
const anAgent = (details: Partial<AgentDraft> = {}): AgentDraft => ({
  fingerprint: 'refund-agent-v1',
  name: 'Refund agent',
  owner: undefined,
  riskSensitivity: undefined,
  enforce: false,
  ...details,
})
const aKey = (details: Partial<KeyDraft> = {}): KeyDraft => ({
  id: newId('key'),
  secretHash: newId('hash'),
  kind: 'agent',
  name: 'refunds',
  agents: [],
  environment: undefined,
  replaces: undefined,
  ...details,
})
const register = async (details?: Partial<AgentDraft>): Promise<Agent> =>
  (await registrar().registerAgent(admin, anAgent(details))).agent
const leaves = () => test.store.leaves({ projectId: test.project.id, from: 0, limit: 1000 })
/** Events of what `work` wrote, with who did it. */
async function written(work: () => Promise<unknown>): Promise<{ actor: string; events: { type: string }[] }[]> {
  const before = (await leaves()).length
  await work()
  return (await leaves()).slice(before).map(({ body }) => JSON.parse(body))
}
const person = async (by: Principal): Promise<Person> => (await test.store.person(by.id)) as Person

describe('the registry', () => {
  it.each<[string, (by: Principal) => Promise<unknown>]>([
    ['registers an agent', (by) => registrar().registerAgent(by, anAgent({ fingerprint: 'new' }))],
    ['changes an agent', async (by) => registrar().changeAgent(by, (await register()).id, { name: 'other' })],
    ['lets an agent run again', async (by) => registrar().setAgentStatus(by, (await paused()).id, 'active')],
    ['stops an agent', async (by) => registrar().setAgentStatus(by, (await register()).id, 'paused')],
    ['creates a key', (by) => registrar().createKey(by, aKey())],
    ['disables a key', (by) => registrar().disableKey(by, test.key.id)],
    ['adds a person', (by) => registrar().addPerson(by, { email: 'new@example.com', roles: [], groups: [] })],
    ['changes a person', (by) => registrar().changePerson(by, test.approver.id, { status: 'disabled' })],
    ['adds a group', (by) => registrar().addGroup(by, 'security')],
  ])('%s for an owner or admin, with one leaf, and for nobody else', async (name, act) => {
    const others = await Promise.all(
      (['approver', 'auditor', 'developer'] as Role[]).map((role) => test.person({ roles: [role] })),
    )
    const disabled = await test.person({ roles: ['admin'], status: 'disabled' })
    const stranger: Principal = { ...admin, id: newId('usr') }
    for (const by of [...others, disabled, stranger]) {
      const code = await act(by).then(
        () => 'done',
        (error) => error.code,
      )
      expect([by.id, code]).toEqual([by.id, by === stranger ? 'NOT_FOUND' : 'FORBIDDEN'])
    }
    const last = (await written(() => act(admin))).at(-1)
    expect([name, last?.actor, last?.events.length]).toEqual([name, `user:${admin.id}`, 1])
  })

  it.each<[string, () => Promise<() => Promise<unknown>>]>([
    [
      'an agent that is registered',
      async () => {
        await register()
        return () => registrar().registerAgent(admin, anAgent())
      },
    ],
    [
      'a status that it has',
      async () => {
        const { id } = await paused()
        return () => registrar().setAgentStatus(admin, id, 'paused')
      },
    ],
    [
      'a group that is there',
      async () => {
        await registrar().addGroup(admin, 'a')
        return () => registrar().addGroup(admin, 'a')
      },
    ],
    [
      'a key with the same id and details',
      async () => {
        const key = aKey()
        await registrar().createKey(admin, key)
        return () => registrar().createKey(admin, { ...key, secretHash: 'of another secret' })
      },
    ],
  ])('writes nothing for %s', async (_, prepare) => {
    const act = await prepare()
    expect(await written(act)).toEqual([])
  })
})

describe('an agent', () => {
  it('is found by another registration only with the same details', async () => {
    await register()
    await expect(registrar().registerAgent(admin, anAgent({ owner: owner.id }))).rejects.toMatchObject({
      code: 'INVALID_FIELD',
    })
  })

  it('may be stopped by its owner, who cannot let it run again', async () => {
    const developer = await test.person({ roles: ['developer'] })
    const { id } = await register({ owner: developer.id })
    expect((await registrar().setAgentStatus(developer, id, 'paused')).status).toBe('paused')
    await expect(registrar().setAgentStatus(developer, id, 'active')).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('does not get another owner by its owner, who could then approve what it asks for', async () => {
    const { id } = await register({ owner: admin.id })
    await expect(registrar().changeAgent(admin, id, { owner: owner.id })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(registrar().changeAgent(admin, id, { owner: undefined })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('does not get another owner by an account that is linked to its owner', async () => {
    const { id } = await register({ owner: owner.id })
    await registrar().changePerson(owner, admin.id, { linked: [owner.id] })
    await expect(registrar().changeAgent(admin, id, { owner: undefined })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('stays revoked, also when somebody lets it run again at the same moment', async () => {
    const { id } = await paused()
    await Promise.allSettled([
      registrar().setAgentStatus(admin, id, 'active'),
      registrar().setAgentStatus(owner, id, 'revoked'),
      registrar().setAgentStatus(admin, id, 'active'),
    ])
    expect((await test.store.agent(id))?.status).toBe('revoked')
    await expect(registrar().setAgentStatus(admin, id, 'active')).rejects.toMatchObject({ code: 'AGENT_REVOKED' })
  })

  it.each([
    ['that is not there', newId('agt')],
    ['of another project', 'agt_other'],
  ] as const)('%s is not found', async (_, id) => {
    await test.store.transaction((tx) =>
      tx.putAgent({ ...anAgent(), id: 'agt_other', projectId: 'prj_other', status: 'active', lastSeenAt: undefined }),
    )
    await expect(registrar().setAgentStatus(admin, id, 'paused')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('a key', () => {
  it('is created by the person who asks, whatever else is known of them', async () => {
    const { key } = await registrar().createKey(admin, aKey())
    expect(key).toMatchObject({ createdBy: admin.id, status: 'active', lineage: key.id, projectId: test.project.id })
  })

  it('keeps the lineage of the key in whose place it comes (I15)', async () => {
    const { key: first } = await registrar().createKey(admin, aKey())
    const { key: second } = await registrar().createKey(admin, aKey({ replaces: first.id }))
    const { key: third } = await registrar().createKey(admin, aKey({ replaces: second.id }))
    expect(third.lineage).toBe(first.id)
  })

  it.each<[string, string, () => Promise<Partial<KeyDraft>>]>([
    ['another kind in its place', 'INVALID_FIELD', async () => ({ kind: 'verifier', replaces: (await first()).id })],
    [
      'other agents in its place',
      'INVALID_FIELD',
      async () => ({ agents: [(await register()).id], replaces: (await first()).id }),
    ],
    ['a key in the place of none', 'NOT_FOUND', async () => ({ replaces: 'key_none' })],
    ['an agent that is not there', 'NOT_FOUND', async () => ({ agents: ['agt_none'] })],
    ['an agent that is revoked', 'AGENT_REVOKED', async () => ({ agents: [(await revoked()).id] })],
    ['agents of a verifier', 'INVALID_FIELD', async () => ({ kind: 'verifier', agents: [(await register()).id] })],
    ['the id of another key', 'IDEMPOTENCY_MISMATCH', async () => ({ id: (await first()).id, name: 'other' })],
  ])('is refused with %s', async (_, code, details) => {
    await expect(registrar().createKey(admin, aKey(await details()))).rejects.toMatchObject({ code })
  })

  it('that is disabled declares nothing any more', async () => {
    await registrar().disableKey(admin, test.key.id)
    await expect(test.gate.declare({ action: 'read_logs', params: {} })).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })
})

describe('a person', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['makes an owner', () => registrar().addPerson(admin, { email: 'a@example.com', roles: ['owner'], groups: [] })],
    ['makes somebody an owner', () => registrar().changePerson(admin, test.approver.id, { roles: ['owner'] })],
    ['changes an owner', () => registrar().changePerson(admin, owner.id, { roles: ['approver'] })],
    ['disables an owner', () => registrar().changePerson(admin, owner.id, { status: 'disabled' })],
    ['changes their own roles', () => registrar().changePerson(admin, admin.id, { roles: ['admin', 'approver'] })],
    ['joins a group', () => registrar().setMember(admin, 'security', admin.id, true)],
    ['unlinks an account of theirs', () => registrar().changePerson(admin, test.approver.id, { linked: [] })],
  ])('who is an admin and %s is refused', async (_, act) => {
    await registrar().addGroup(owner, 'security')
    await registrar().changePerson(owner, test.approver.id, { linked: [admin.id] })
    await expect(act()).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('who is an admin and changes an account that is theirs over another one is refused', async () => {
    const far = await test.person()
    await registrar().changePerson(owner, test.approver.id, { linked: [admin.id, far.id] })
    const act = registrar().changePerson(admin, far.id, { roles: ['admin', 'approver'] })
    await expect(act).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('who is the last owner stays one', async () => {
    for (const changes of [{ status: 'disabled' }, { roles: ['approver'] }] as const) {
      await expect(registrar().changePerson(owner, owner.id, changes)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    }
    expect((await person(owner)).roles).toEqual(['owner'])
  })

  it('is linked both ways, and unlinked both ways', async () => {
    await registrar().changePerson(owner, test.approver.id, { linked: [admin.id] })
    expect((await person(admin)).linked).toEqual([test.approver.id])
    await registrar().changePerson(owner, admin.id, { linked: [] })
    expect((await person(test.approver)).linked).toEqual([])
  })

  it('joins and leaves a group that is there', async () => {
    await registrar().addGroup(admin, 'security')
    await registrar().setMember(admin, 'security', test.approver.id, true)
    expect((await person(test.approver)).groups).toEqual(['security'])
    await registrar().setMember(admin, 'security', test.approver.id, false)
    expect((await person(test.approver)).groups).toEqual([])
    await expect(registrar().setMember(admin, 'nobody', test.approver.id, true)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it('is one person by one e-mail, however it is written', async () => {
    const draft = { roles: ['approver'], groups: [] } as const
    const { person: ann } = await registrar().addPerson(admin, { ...draft, email: 'ann@example.com' })
    const again = await registrar().addPerson(admin, { ...draft, email: 'Ann@Example.com' })
    expect([again.created, again.person.id]).toEqual([false, ann.id])
    await expect(
      registrar().addPerson(admin, { email: 'ann@example.com', roles: ['admin'], groups: [] }),
    ).rejects.toMatchObject({ code: 'INVALID_FIELD' })
  })
})

async function paused(): Promise<Agent> {
  const { id } = await register()
  return registrar().setAgentStatus(admin, id, 'paused')
}
async function revoked(): Promise<Agent> {
  const { id } = await register()
  return registrar().setAgentStatus(admin, id, 'revoked')
}
async function first() {
  return (await registrar().createKey(admin, aKey())).key
}
