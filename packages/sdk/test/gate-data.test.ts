import { describe, expect, it } from 'vitest'
import { claimIn, executionIn, intentIn, listIn } from '../src/gate-data.js'
import { INTENT_ID, wireIntent } from './scripted-server.js'

const unavailable = expect.objectContaining({ code: 'GATE_UNAVAILABLE' })

describe('an intent in an answer', () => {
  it('is read', () => {
    expect(intentIn(wireIntent(), INTENT_ID)).toMatchObject({
      id: INTENT_ID,
      status: 'pending',
      params: { amount: 250 },
    })
  })

  it.each<[string, unknown]>([
    ['nothing', null],
    ['a text', 'approved'],
    ['an empty object', {}],
    ['another intent', wireIntent({ id: 'int_8' })],
    ['an unknown status', wireIntent({ status: 'blessed' as never })],
    ['the status of every object', wireIntent({ status: 'constructor' as never })],
    ['no params', wireIntent({ parameters: null as never })],
    ['an instant that is none', wireIntent({ expires_at: 'soon' })],
    ['no approvals', wireIntent({ approvals: undefined as never })],
  ])('is no answer of a gate when it is %s', (_, data) => {
    expect(() => intentIn(data, INTENT_ID)).toThrow(unavailable)
  })
})

describe('a claim in an answer', () => {
  it.each<[string, unknown, object]>([
    [
      'granted',
      { type: 'granted', permit_token: 'a.b.c', parameters: { amount: 250 } },
      { type: 'granted', permit: 'a.b.c', params: { amount: 250 } },
    ],
    [
      'running',
      { type: 'running', since: '2026-03-16T12:00:00.000Z', deadline: '2026-03-16T12:15:00.000Z' },
      { type: 'running', since: 1_773_662_400_000, deadline: 1_773_663_300_000 },
    ],
    [
      'recorded',
      { type: 'recorded', outcome: { status: 'succeeded', result_recorded: false } },
      { type: 'recorded', outcome: { status: 'succeeded', resultRecorded: false } },
    ],
    [
      'recorded with its result',
      { type: 'recorded', outcome: { status: 'succeeded', result_recorded: true, result: { refund: 'rf_1' } } },
      { type: 'recorded', outcome: { status: 'succeeded', resultRecorded: true, result: { refund: 'rf_1' } } },
    ],
    ['unknown', { type: 'unknown' }, { type: 'unknown' }],
    ['closed', { type: 'closed', reason: 'window' }, { type: 'closed', reason: 'window' }],
  ])('may be %s', (_, data, claim) => {
    expect(claimIn(data, INTENT_ID)).toEqual(claim)
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['of a type of the future', { type: 'blessed', permit_token: 'a.b.c', parameters: {} }],
    ['a grant without permit', { type: 'granted', parameters: {} }],
    ['a grant without params', { type: 'granted', permit_token: 'a.b.c', parameters: null }],
    ['running without end', { type: 'running', since: '2026-03-16T12:00:00.000Z' }],
  ])('grants nothing when it is %s', (_, data) => {
    expect(() => claimIn(data, INTENT_ID)).toThrow(unavailable)
  })
})

describe('other data', () => {
  it.each<[string, () => unknown]>([
    ['an execution', () => executionIn({ intent_id: INTENT_ID })],
    ['no execution', () => executionIn(null)],
    ['a list', () => listIn({ items: [] })],
  ])('is no answer of a gate when it is not what was asked for: %s', (_, read) => {
    expect(read).toThrow(unavailable)
  })
})
