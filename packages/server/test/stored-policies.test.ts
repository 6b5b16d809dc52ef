import { type JsonObject, parsePolicy } from '@silentauth/core'
import { type TestGate, testGate } from '@silentauth/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_POLICIES, storePolicies } from '../src/stored-policies.js'

let test: TestGate
beforeEach(async () => {
  test = await testGate()
})
afterEach(() => test[Symbol.asyncDispose]())

const store = (...policies: JsonObject[]) =>
  storePolicies(
    { gate: test.local, store: test.store },
    policies.map((policy) => parsePolicy(policy)),
  )
const stored = async () => {
  const { policies } = await test.store.policies(test.project.id)
  return [...policies].sort((one, other) => one.createdAt - other.createdAt)
}
const leafCount = async () => (await test.store.leaves({ projectId: test.project.id, from: 0, limit: 1000 })).length
const deny = (name: string, action: string): JsonObject => ({
  name,
  match: { action_pattern: action },
  decision: 'auto_deny',
})

describe('storePolicies', () => {
  it('keeps the order of the file among equal priorities', async () => {
    await store(deny('one', 'a*'), deny('two', 'b*'), deny('three', 'c*'))
    expect((await stored()).map(({ name }) => name)).toEqual(['one', 'two', 'three'])
  })

  it('changes nothing, and logs nothing, when the file says the same', async () => {
    await store(deny('one', 'a*'), deny('two', 'b*'))
    const [before, leaves] = [await test.store.policies(test.project.id), await leafCount()]
    test.clock.advance(1000)
    expect((await store(deny('one', 'a*'), deny('two', 'b*'))).changed).toBe(false)
    expect([await test.store.policies(test.project.id), await leafCount()]).toEqual([before, leaves])
  })

  it('gives what changed a new version under the same id', async () => {
    await store(deny('one', 'a*'), deny('two', 'b*'))
    const before = await stored()
    await store(deny('one', 'a*'), deny('two', 'z*'))
    const after = await stored()
    expect(after.map(({ id, version }) => [id, version])).toEqual([
      [before[0]?.id, 1],
      [before[1]?.id, 2],
    ])
  })

  it('follows a new order, in one audited change', async () => {
    await store(deny('one', 'a*'), deny('two', 'b*'))
    const leaves = await leafCount()
    test.clock.advance(1000)
    await store(deny('two', 'b*'), deny('one', 'a*'))
    expect([(await stored()).map(({ name }) => name), await leafCount()]).toEqual([['two', 'one'], leaves + 1])
  })

  it('drops what the file no longer has', async () => {
    await store(deny('one', 'a*'), deny('two', 'b*'))
    await store(deny('two', 'b*'))
    expect((await stored()).map(({ name }) => name)).toEqual(['two'])
  })

  it('keeps e-mails as the people that they are now', async () => {
    const ada = await test.person({ email: 'ada@example.com', groups: ['ops'] })
    const { unknownApprovers } = await store({
      name: 'two people',
      match: {},
      decision: 'require_approval',
      approval: {
        allowed_approvers: ['Ada@example.com', 'ops', 'nobody@example.com'],
        all_of: [{ group: 'security', count: 1 }],
      },
    })
    expect([(await stored())[0]?.approval?.allowedApprovers, unknownApprovers]).toEqual([
      [ada.id, 'ops', 'nobody@example.com'],
      ['nobody@example.com', 'security'],
    ])
  })

  it('takes effect on the next intent', async () => {
    await store(deny('no refunds', 'issue_refund'))
    const intent = await test.gate.declare({ action: 'issue_refund', params: {} })
    expect(intent.decision).toBe('auto_deny')
  })
})

describe('the default', () => {
  it.each([
    ['read_logs', 'auto_approve'],
    ['reader_delete', 'require_approval'],
    ['issue_refund', 'require_approval'],
  ])('answers %s with %s', async (action, decision) => {
    await storePolicies({ gate: test.local, store: test.store }, DEFAULT_POLICIES)
    expect((await test.gate.declare({ action, params: { any: ['thing'] } })).decision).toBe(decision)
  })
})
