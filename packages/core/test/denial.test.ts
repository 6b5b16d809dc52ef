import { describe, expect, it } from 'vitest'
import type { Denial } from '../src/denial.js'
import { denialOf, isOf, liftDenial } from '../src/denial.js'
import { guard } from '../src/gate.js'
import type { UserId } from '../src/id.js'
import { judge } from '../src/judgement.js'
import { snapshot } from '../src/params.js'
import { gateRefusal, isGateRefusal } from '../src/refusal.js'
import type { Principal } from '../src/registry.js'
import type { State } from '../src/state.js'
import { testGate } from '../src/testing.js'
import { AGENT, aPerson, aScene, NOW, PEOPLE, type Scene } from './a-scene.js'

const TEN_MINUTES_MS = 600_000

function by(name: string, via: Principal['via'] = 'session'): Principal {
  return { type: 'person', id: `usr_${name}` as UserId, projectId: 'prj_1', via }
}

function deniedIn(scene: Scene): { pending: State; denied: State } {
  const pending = scene.declare()
  return { pending, denied: scene.vote(pending, 'usr_ann', { verdict: 'deny' }).state }
}

function memoryOf(denied: State): Denial {
  const { projectId, owner, action, paramsDigest, id } = denied.declaration
  return { projectId, owner, action, paramsDigest, intentId: id, expiresAt: NOW + TEN_MINUTES_MS }
}

function lift(scene: Scene, state: State, principal: Principal, lifted: Denial | undefined = memoryOf(state)) {
  const { bench } = judge(state.declaration, scene.facts, NOW)
  return liftDenial(state, { type: 'lift_denial', by: principal, bench, lifted })
}

describe('denialOf', () => {
  it('remembers what a person denied, for its time', () => {
    const { pending, denied } = deniedIn(aScene())
    expect(denialOf(pending, denied, 600, NOW)).toEqual(memoryOf(denied))
  })

  it('remembers nothing where the time is 0', () => {
    const { pending, denied } = deniedIn(aScene())
    expect(denialOf(pending, denied, 0, NOW)).toBeUndefined()
  })

  it('remembers nothing of a change that was not the denial', () => {
    const { denied } = deniedIn(aScene())
    expect(denialOf(denied, denied, 600, NOW)).toBeUndefined()
  })

  it('remembers neither what policy denied, nor what a memory answered', () => {
    const { pending, denied } = deniedIn(aScene())
    const byPolicy = aScene({ policies: [{ match: {}, decision: 'auto_deny' }] }).declare()
    const answered: State = {
      ...denied,
      resolution: { by: 'person', code: 'INTENT_DENIED', comment: undefined, earlierIntent: 'int_earlier' },
    }
    expect([denialOf(undefined, byPolicy, 600, NOW), denialOf(pending, answered, 600, NOW)]).toEqual([
      undefined,
      undefined,
    ])
  })

  it.each(['approve', 'request_changes'] as const)('remembers nothing of %s', (verdict) => {
    const scene = aScene()
    const pending = scene.declare()
    const after = scene.vote(pending, 'usr_ann', { verdict }).state
    expect(denialOf(pending, after, 600, NOW)).toBeUndefined()
  })

  it('waits for the denial that decides, where policy counts denials', () => {
    const policies = [{ match: {}, decision: 'require_approval', approval: { deny_threshold: 2 } }]
    const scene = aScene({ policies })
    const { pending, denied: once } = deniedIn(scene)
    const twice = scene.vote(once, 'usr_bob', { verdict: 'deny' }).state
    expect(denialOf(pending, once, 600, NOW)).toBeUndefined()
    expect(denialOf(once, twice, 600, NOW)).toMatchObject({ intentId: twice.declaration.id })
  })
})

describe('isOf', () => {
  it('knows the denial that an intent made, and the one that answered it', () => {
    const { denied } = deniedIn(aScene())
    const denial = memoryOf(denied)
    const resolution = { by: 'person', code: 'INTENT_DENIED', comment: undefined, earlierIntent: 'int_a' } as const
    expect([
      isOf(denial, denied),
      isOf({ ...denial, intentId: 'int_a' }, { ...denied, resolution }),
      isOf({ ...denial, intentId: 'int_b' }, { ...denied, resolution }),
    ]).toEqual([true, true, false])
  })
})

describe('liftDenial', () => {
  it.each(['ann', 'bob'])('is for whoever could approve it, the one who denied it included: %s', (name) => {
    const scene = aScene()
    const { denied } = deniedIn(scene)
    expect(lift(scene, denied, by(name)).events).toMatchObject([
      { type: 'denial.lifted', data: { by: `user:usr_${name}`, earlier_intent: denied.declaration.id } },
    ])
  })

  it('changes nothing of the denied intent', () => {
    const scene = aScene()
    const { denied } = deniedIn(scene)
    expect(lift(scene, denied, by('bob')).state).toBe(denied)
  })

  it('writes nothing when there is nothing to lift any more', () => {
    const scene = aScene()
    const { denied } = deniedIn(scene)
    const { bench } = judge(denied.declaration, scene.facts, NOW)
    const command = { type: 'lift_denial', by: by('bob'), bench, lifted: undefined } as const
    expect(liftDenial(denied, command).events).toEqual([])
  })

  it.each([
    ['the owner of the agent', by('eve'), 'SELF_APPROVAL'],
    ['the creator of the key', by('fay'), 'SELF_APPROVAL'],
    ['somebody whom no policy names', by('gus'), 'NOT_AN_APPROVER'],
    ['somebody of elsewhere', by('zoe'), 'NOT_AN_APPROVER'],
  ])('is not for %s', (_, principal, code) => {
    const scene = aScene()
    const { denied } = deniedIn(scene)
    expect(() => lift(scene, denied, principal)).toThrow(expect.objectContaining({ code }))
  })

  it('is not for a second account of the owner of the agent', () => {
    const people = [...PEOPLE, aPerson('eve2', { linked: ['usr_eve'] })]
    const scene = aScene({ people, agent: AGENT })
    const { denied } = deniedIn(scene)
    expect(() => lift(scene, denied, by('eve2'))).toThrow(expect.objectContaining({ code: 'SELF_APPROVAL' }))
  })

  it('asks for the channel that an approval would need', () => {
    const scene = aScene()
    const pending = scene.declare({ riskTier: 'high' })
    const denied = scene.vote(pending, 'usr_ann', { verdict: 'deny' }).state
    expect(() => lift(scene, denied, by('bob', 'cli'))).toThrow(expect.objectContaining({ code: 'ASSURANCE_REQUIRED' }))
  })

  it.each([
    ['pending', (scene: Scene) => scene.declare()],
    ['approved', (scene: Scene) => scene.approved()],
    ['denied by policy', () => aScene({ policies: [{ match: {}, decision: 'auto_deny' }] }).declare()],
  ])('finds nothing at an intent that is %s', (_, intentIn) => {
    const scene = aScene()
    expect(() => lift(scene, intentIn(scene), by('bob'))).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
  })
})

describe('a denied call that is made again', () => {
  it('does not run, and tells the agent which denial holds and who can lift it', async () => {
    await using test = await testGate()
    const call = (key: string) => ({
      key,
      snapshot: snapshot({ amount: 250 }),
      draft: { action: 'issue_refund' },
    })
    const first = await test.gate.declare({ action: 'issue_refund', params: { amount: 250 } })
    const { intentHash } = await test.local.desk.read(test.approver, first.id)
    await test.local.desk.vote(test.approver, first.id, { verdict: 'deny', intentHash })
    let ran = false
    const refusal = await guard(test.gate, call('second'), () => {
      ran = true
    }).catch((error) => error)
    expect([refusal.code, ran]).toEqual(['INTENT_DENIED', false])
    const again = await test.gate.read({ idempotencyKey: 'second' })
    const text = gateRefusal({
      type: 'refused',
      code: 'INTENT_DENIED',
      intent: again,
      closed: undefined,
      cause: undefined,
    })
    expect(isGateRefusal(text) && text.text).toMatch(
      new RegExp(`denied.*before \\(${first.id}\\).*An approver can lift it.*Do not retry`),
    )
  })

  it.each([
    ['its own length', 5, 4_999, 'denied'],
    ['its own length, and not longer', 5, 5_000, 'pending'],
    ['no memory at all', 0, 0, 'pending'],
  ])('meets %s of the memory', async (_, denialMemorySeconds, afterMs, status) => {
    await using test = await testGate({ denialMemorySeconds })
    const draft = { action: 'issue_refund', params: { amount: 250 } }
    const { id } = await test.gate.declare(draft)
    const { intentHash } = await test.local.desk.read(test.approver, id)
    await test.local.desk.vote(test.approver, id, { verdict: 'deny', intentHash })
    test.clock.advance(afterMs)
    expect((await test.gate.declare(draft)).status).toBe(status)
  })

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('needs a length that is one: %s', async (length) => {
    await expect(testGate({ denialMemorySeconds: length })).rejects.toThrow(TypeError)
  })
})
