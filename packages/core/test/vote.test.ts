import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../src/json.js'
import { judge } from '../src/judgement.js'
import type { State } from '../src/state.js'
import { quorumOutOfReach } from '../src/vote.js'
import { aPerson, aScene, NOW, type Scene } from './a-scene.js'
import { refusalOf } from './refusal-of.js'

const people = [
  aPerson('ann', { groups: ['ops'] }),
  aPerson('bob', { groups: ['ops'] }),
  aPerson('cleo', { groups: ['security'] }),
  aPerson('dora', { groups: ['security', 'ops'] }),
]
const rule = (approval: JsonObject) => aScene({ people, policies: [{ decision: 'require_approval', approval }] })

function voted(scene: Scene, ...voters: string[]): State {
  return voters.reduce((state, name) => scene.vote(state, `usr_${name}`).state, scene.declare())
}

function outOfReach(scene: Scene, state: State): boolean {
  return quorumOutOfReach(state.declaration, state.votes, judge(state.declaration, scene.facts, NOW).bench)
}

describe('quorum', () => {
  const both = rule({
    approvers_required: 2,
    all_of: [
      { group: 'security', count: 1 },
      { group: 'ops', count: 1 },
    ],
  })

  it.each([
    ['nobody of one group', ['ann', 'bob'], 'pending'],
    ['one of each', ['ann', 'cleo'], 'approved'],
    ['one who is in both, alone', ['dora'], 'pending'],
    ['one who is in both, and another', ['dora', 'ann'], 'approved'],
  ])('I9 counts %s in every group that is demanded', (_, voters, status) => {
    expect(voted(both, ...voters).status).toBe(status)
  })

  it('I9 lets the members of a demanded group vote besides those who are named', () => {
    const scene = rule({ allowed_approvers: ['ann@example.com'], all_of: [{ group: 'security', count: 1 }] })
    const state = voted(scene, 'cleo')
    expect([state.status, refusalOf(() => scene.vote(scene.declare(), 'usr_bob'))?.code]).toEqual([
      'approved',
      'NOT_AN_APPROVER',
    ])
  })

  it('I9 counts two linked accounts of one group once', () => {
    const linked = aScene({
      people: [aPerson('ann', { groups: ['ops'] }), aPerson('bob', { groups: ['ops'], linked: ['usr_ann'] })],
      policies: [{ decision: 'require_approval', approval: { all_of: [{ group: 'ops', count: 2 }] } }],
    })
    const state = linked.vote(linked.declare(), 'usr_ann').state
    expect([state.status, refusalOf(() => linked.vote(state, 'usr_bob'))?.code]).toEqual(['pending', 'ALREADY_VOTED'])
  })
})

describe('quorumOutOfReach', () => {
  it.each([
    ['enough people are left', rule({ approvers_required: 4 }), [], false],
    ['too few people are there', rule({ approvers_required: 5 }), [], true],
    ['too few of a group are there', rule({ all_of: [{ group: 'security', count: 3 }] }), [], true],
    [
      'the last of the group is left',
      rule({ approvers_required: 2, all_of: [{ group: 'security', count: 2 }] }),
      ['cleo'],
      false,
    ],
  ])('I9 when %s, it is %s', (_, scene, voters, expected) => {
    expect(outOfReach(scene, voted(scene, ...voters))).toBe(expected)
  })

  it('I9 counts somebody who was disabled after voting neither as a vote nor as left', () => {
    const scene = rule({ approvers_required: 4 })
    const state = voted(scene, 'ann')
    const without = scene.with({
      people: [aPerson('ann', { status: 'disabled' }), ...people.slice(1)],
      policies: [{ decision: 'require_approval', approval: { approvers_required: 4 } }],
    })
    expect([outOfReach(scene, state), outOfReach(without, state)]).toEqual([false, true])
  })

  it('I9 counts two accounts of one person as one who is left', () => {
    const scene = aScene({
      people: [aPerson('ann'), aPerson('bob', { linked: ['usr_ann'] })],
      policies: [{ decision: 'require_approval', approval: { approvers_required: 2 } }],
    })
    expect(outOfReach(scene, scene.declare())).toBe(true)
  })

  it('I9 is so whatever people do once the current policy denies', () => {
    const scene = rule({})
    const denying = scene.with({ policies: [{ decision: 'auto_deny' }] })
    expect(outOfReach(denying, scene.declare())).toBe(true)
  })
})
