/**
 * The contract of stores, part two: what an intent is when it comes back, and what can be asked about many.
 *
 * @module
 */
import { expect } from 'vitest'
import { canonicalJson } from '../canonical-json.js'
import type { Declaration } from '../declaration.js'
import { digestOf } from '../digest.js'
import { type IntentId, newId } from '../id.js'
import type { JsonObject } from '../json.js'
import { snapshot } from '../params.js'
import type { ExecutionRecord, State } from '../state.js'
import type { IntentQuery, Store } from '../store.js'
import { rejection, type StoreTest } from './store-test.js'
import { aBegunState, aPermit, aPolicy, aRedemption, aState, aVote, OTHER_PROJECT, PROJECT, THEN } from './stored.js'

export const INTENT_TESTS: readonly StoreTest[] = [
  {
    name: 'gives an intent back as it was stored',
    async run(store) {
      const state = aFullState()
      await insert(store, state)
      expect(await store.intent(state.declaration.id)).toEqual(state)
    },
  },
  {
    name: 'gives an intent back as it was changed',
    async run(store) {
      const { declaration, ...progress } = aFullState()
      const pending = aState(declaration)
      await insert(store, pending)
      const changed = { ...pending, ...progress }
      await change(store, changed)
      expect(await store.intent(declaration.id)).toEqual(changed)
    },
  },
  {
    name: 'keeps no, zero and empty apart from nothing',
    async run(store) {
      const state = aState(
        { source: '', requestedBy: undefined, riskScore: 0, reenters: false, context: {}, approvers: [] },
        { votes: [aVote({ comment: '', confirmed: false })], useUntil: 0, resolvedAt: undefined },
      )
      await insert(store, state)
      const read = await store.intent(state.declaration.id)
      expect(read?.declaration).toMatchObject({ source: '', riskScore: 0, reenters: false, context: {}, approvers: [] })
      expect(read?.votes[0]).toMatchObject({ comment: '', confirmed: false })
      expect([read?.useUntil, read?.resolvedAt, read?.declaration.requestedBy]).toEqual([0, undefined, undefined])
    },
  },
  {
    name: 'does not know an intent that is not there',
    async run(store) {
      await insert(store, aState())
      expect(await store.intent(newId('int'))).toBeUndefined()
      expect(await store.intentByIdempotencyKey('key_one', 'none')).toBeUndefined()
      expect(await store.intentByPermit(newId('pmt'))).toBeUndefined()
    },
  },
  {
    name: 'gives plain objects and arrays, never rows of a driver',
    async run(store) {
      const state = aFullState()
      await insert(store, state)
      const found = [
        await store.intent(state.declaration.id),
        await store.intents({ projectId: PROJECT, limit: 10 }),
        await store.directory(PROJECT),
        await store.policies(PROJECT),
      ]
      expect(strangeObjects(found)).toEqual([])
    },
  },
  {
    name: 'keeps an intent apart from what it was given',
    async run(store) {
      const votes = [aVote()]
      const state = aState({}, { votes })
      await insert(store, state)
      votes.push(aVote({ by: 'usr_eve' }))
      expect((await store.intent(state.declaration.id))?.votes).toHaveLength(1)
    },
  },
  {
    name: 'keeps an intent apart from what it gave',
    async run(store) {
      const state = aFullState()
      await insert(store, state)
      const read = (await store.intent(state.declaration.id)) as State
      tamper(() => (read.votes as unknown[]).pop())
      tamper(() => Object.assign(read.declaration.params, { amount: 9999 }))
      expect(await store.intent(state.declaration.id)).toEqual(state)
    },
  },
  ...PARAMS().map(
    ([what, params]): StoreTest => ({
      name: `keeps params to the byte: ${what}`,
      async run(store) {
        const { canonical, digest, value } = snapshotOf(params)
        const state = aState({ params: value })
        await insert(store, state)
        const read = (await store.intent(state.declaration.id))?.declaration
        expect(canonicalJson(read?.params)).toBe(canonical)
        expect(digestOf(canonicalJson(read?.params))).toBe(digest)
        expect(read?.paramsDigest).toBe(digest)
      },
    }),
  ),
  {
    name: 'lists newest first, by creation and then id, page by page without duplicates or gaps',
    async run(store) {
      // Several of one instant, and inserted in no order.
      const states = Array.from({ length: 25 }, (_, index) => aState({ createdAt: THEN + Math.floor(index / 4) }))
      await insert(store, ...states.toSorted((one, other) => (one.declaration.id < other.declaration.id ? -1 : 1)))
      const pages = await allPages(store, { projectId: PROJECT, limit: 4 })
      expect(pages.flat()).toEqual(newestFirst(states))
      expect(pages.map(({ length }) => length)).toEqual([4, 4, 4, 4, 4, 4, 1])
    },
  },
  {
    name: 'gives no cursor with the last page, even when it is full',
    async run(store) {
      await insert(store, ...[1, 2, 3, 4].map((ms) => aState({ createdAt: THEN + ms })))
      const first = await store.intents({ projectId: PROJECT, limit: 2 })
      const second = await store.intents({ projectId: PROJECT, limit: 2, cursor: first.nextCursor })
      expect([first.items.length, second.items.length, second.nextCursor]).toEqual([2, 2, undefined])
    },
  },
  {
    name: 'shows each intent once, and all that were there, while others are declared and settled between pages',
    async run(store) {
      const states = Array.from({ length: 12 }, () => aState())
      await insert(store, ...states)
      const seen: IntentId[] = []
      let cursor: string | undefined
      do {
        const page = await store.intents({ projectId: PROJECT, limit: 3, cursor })
        seen.push(...idsOf(page.items))
        cursor = page.nextCursor
        await insert(store, aState({ createdAt: THEN + seen.length }), aState({ createdAt: THEN }))
        await change(store, { ...(states[seen.length % 12] as State), status: 'cancelled' })
      } while (cursor !== undefined)
      const known = new Set(idsOf(states))
      expect(seen.filter((id) => known.has(id)).toSorted()).toEqual(idsOf(states).toSorted())
      expect(new Set(seen).size).toBe(seen.length)
    },
  },
  ...[
    '',
    'x',
    '1',
    '1.',
    '1.x',
    `${THEN}.int_a b`,
    "1.int_' or 1=1 --",
    '-1.int_a',
    '1e3.int_a',
    `${THEN}.int_a\n`,
  ].map(
    (cursor): StoreTest => ({
      name: `refuses a cursor that no page gave: ${JSON.stringify(cursor)}`,
      async run(store) {
        const error = await rejection(store.intents({ projectId: PROJECT, limit: 1, cursor }))
        expect(error).toMatchObject({ code: 'INVALID_FIELD', field: 'cursor' })
      },
    }),
  ),
  ...FILTERS().map(
    ([what, query, expected]): StoreTest => ({
      name: `lists only ${what}`,
      async run(store) {
        const states = [...filterable()]
        await insert(store, ...states.map(([, state]) => state))
        const pages = await allPages(store, { projectId: PROJECT, limit: 2, ...query })
        const wanted = states.filter(([name]) => expected.includes(name)).map(([, state]) => state)
        expect(pages.flat()).toEqual(newestFirst(wanted))
      },
    }),
  ),
  {
    name: 'lists by the status of now',
    async run(store) {
      const state = aState()
      await insert(store, state)
      await change(store, { ...state, status: 'denied' })
      expect((await store.intents({ projectId: PROJECT, status: 'pending', limit: 5 })).items).toEqual([])
      expect((await store.intents({ projectId: PROJECT, status: 'denied', limit: 5 })).items).toHaveLength(1)
    },
  },
  {
    name: 'tells which of many ids are settled, of thousands too',
    async run(store) {
      const pending = aState()
      const settled = [aState({}, { status: 'denied' }), aState({}, { status: 'approved' })]
      await insert(store, pending, ...settled)
      const strangers = Array.from({ length: 2500 }, () => newId('int'))
      const asked = [...strangers.slice(0, 1200), ...idsOf([pending, ...settled]), ...strangers.slice(1200)]
      expect((await store.settledAmong(asked)).toSorted()).toEqual(idsOf(settled).toSorted())
      expect(await store.settledAmong([])).toEqual([])
      expect(await store.settledAmong(idsOf([pending]))).toEqual([])
    },
  },
  {
    name: 'names a settled intent once, however often it is asked for',
    async run(store) {
      const settled = aState({}, { status: 'denied' })
      await insert(store, settled)
      const asked = Array.from({ length: 1100 }, () => settled.declaration.id)
      expect(await store.settledAmong(asked)).toEqual([settled.declaration.id])
    },
  },
  {
    name: 'finds what the clock must move, the earliest first',
    async run(store) {
      const due = [
        aState({ expiresAt: THEN + 10 }),
        aBegunState({ state: 'started', deadline: THEN + 20 }),
        { ...aBegunState({ state: 'suspended' }), useUntil: THEN + 30 },
        { ...aBegunState({ state: 'none' }), useUntil: THEN + 40 },
      ]
      const others: State[] = [
        aState({ expiresAt: THEN + 41 }),
        aState({ expiresAt: THEN + 1 }, { status: 'denied' }),
        aBegunState({ state: 'started', deadline: undefined }),
        { ...aBegunState({ state: 'succeeded', deadline: THEN + 1 }), useUntil: THEN + 1 },
        { ...aBegunState({ state: 'delivered' }), useUntil: THEN + 1 },
        // Of another gate's project on the same database: this one could not move it, and would see nothing else.
        aState({ expiresAt: THEN + 1, projectId: OTHER_PROJECT }),
      ]
      await insert(store, ...others, ...due.toReversed())
      expect(await store.due({ projectId: PROJECT, now: THEN + 40, limit: 100 })).toEqual(idsOf(due))
      expect(await store.due({ projectId: PROJECT, now: THEN + 39, limit: 100 })).toEqual(idsOf(due.slice(0, 3)))
      expect(await store.due({ projectId: PROJECT, now: THEN + 40, limit: 2 })).toEqual(idsOf(due.slice(0, 2)))
      expect(await store.due({ projectId: PROJECT, now: THEN + 9, limit: 100 })).toEqual([])
    },
  },
  {
    name: 'forgets that an intent is due when a change moved it on',
    async run(store) {
      const state = aState({ expiresAt: THEN + 10 })
      await insert(store, state)
      await change(store, { ...state, status: 'approved', useUntil: THEN + 50 })
      expect(await store.due({ projectId: PROJECT, now: THEN + 49, limit: 10 })).toEqual([])
      expect(await store.due({ projectId: PROJECT, now: THEN + 50, limit: 10 })).toEqual([state.declaration.id])
      await change(store, { ...state, status: 'expired' })
      expect(await store.due({ projectId: PROJECT, now: THEN + 1e12, limit: 10 })).toEqual([])
    },
  },
  {
    name: 'counts what a key has pending',
    async run(store) {
      const states = [aState(), aState(), aState({ keyId: 'key_two' }), aState({}, { status: 'denied' })]
      await insert(store, ...states)
      expect(await store.countPending('key_one')).toBe(2)
      await change(store, { ...(states[0] as State), status: 'cancelled' })
      expect(await store.countPending('key_one')).toBe(1)
      expect(await store.countPending('key_none')).toBe(0)
    },
  },
  {
    name: 'counts how often a principal declared an action, settled or not',
    async run(store) {
      await insert(
        store,
        aState(),
        aState({}, { status: 'denied' }),
        aState({ action: 'read_logs' }),
        aState({ declaredBy: 'agent:agt_one' }),
      )
      expect(await store.countDeclared('key:key_one', 'issue_refund')).toBe(2)
      expect(await store.countDeclared('key:key_one', 'Issue_refund')).toBe(0)
      expect(await store.countDeclared('agent:agt_one', 'issue_refund')).toBe(1)
      expect(await store.countDeclared('agent:agt_one', 'read_logs')).toBe(0)
    },
  },
  {
    name: 'counts at least to ten',
    async run(store) {
      await insert(store, ...Array.from({ length: 14 }, () => aState()))
      expect(await store.countDeclared('key:key_one', 'issue_refund')).toBeGreaterThanOrEqual(10)
    },
  },
  {
    name: 'finds the same action where it may have run: started, suspended or unknown, oldest first',
    async run(store) {
      const begun = (state: ExecutionRecord['state'], declaration: Partial<Declaration> = {}) =>
        aBegunState({ state }, declaration)
      const open = [
        begun('unknown', { createdAt: THEN - 3 }),
        begun('started', { createdAt: THEN - 2 }),
        begun('suspended', { createdAt: THEN - 1 }),
      ]
      const others = [
        ...(['none', 'succeeded', 'failed', 'abandoned', 'delivered'] as const).map((state) => begun(state)),
        begun('started', { projectId: OTHER_PROJECT }),
        begun('started', { declaredBy: 'key:key_two' }),
        begun('started', { action: 'read_logs' }),
        begun('started', { params: { amount: 1 } }),
      ]
      await insert(store, ...others, ...open.toReversed())
      const { paramsDigest } = aState().declaration
      const query = { projectId: PROJECT, declaredBy: 'key:key_one', action: 'issue_refund', paramsDigest }
      expect(await store.sameAction(query)).toEqual(idsOf(open))
      await change(store, { ...(open[0] as State), execution: { ...aState().execution, state: 'failed' } })
      expect(await store.sameAction(query)).toEqual(idsOf(open.slice(1)))
    },
  },
  {
    name: 'finds an intent by each of its permits',
    async run(store) {
      const state = aState()
      const permits = [aPermit({ revokedAt: THEN }), aPermit()]
      await insert(store, state)
      await change(store, { ...state, permits: permits.slice(0, 1) })
      await change(store, { ...state, permits })
      const found = await Promise.all(permits.map(({ id }) => store.intentByPermit(id)))
      expect(found).toEqual([state.declaration.id, state.declaration.id])
    },
  },
  {
    name: 'answers every question inside a transaction with what it has written',
    async run(store) {
      const [settled, begun] = [aState(), aState()]
      await insert(store, settled, begun, aState({ createdAt: THEN - 1 }))
      const { paramsDigest } = begun.declaration
      const seen = await store.transaction(async (tx) => {
        await tx.lockIntent(settled.declaration.id)
        await tx.updateIntent({ ...settled, status: 'denied' })
        await tx.lockIntent(begun.declaration.id)
        await tx.updateIntent({
          ...begun,
          status: 'approved',
          execution: { ...begun.execution, state: 'started', deadline: THEN + 5 },
        })
        await tx.insertIntent(aState({ createdAt: THEN + 1 }))
        return {
          pending: (await tx.intents({ projectId: PROJECT, status: 'pending', limit: 9 })).items.length,
          all: (await tx.intents({ projectId: PROJECT, limit: 9 })).items.map(({ status }) => status).toSorted(),
          countPending: await tx.countPending('key_one'),
          countDeclared: await tx.countDeclared('key:key_one', 'issue_refund'),
          due: await tx.due({ projectId: PROJECT, now: THEN + 5, limit: 9 }),
          settled: await tx.settledAmong([settled.declaration.id]),
          same: await tx.sameAction({
            projectId: PROJECT,
            declaredBy: 'key:key_one',
            action: 'issue_refund',
            paramsDigest,
          }),
        }
      })
      expect(seen).toEqual({
        pending: 2,
        all: ['approved', 'denied', 'pending', 'pending'],
        countPending: 2,
        countDeclared: 4,
        due: [begun.declaration.id],
        settled: [settled.declaration.id],
        same: [begun.declaration.id],
      })
    },
  },
]

function PARAMS(): [what: string, params: JsonObject][] {
  return [
    ['none', {}],
    ['keys in no order', { b: 1, a: { z: [3, 1, 2], y: null }, B: true }],
    ['keys that look like indexes', { 10: 'ten', 9: 'nine', '01': 'one', '-1': 'minus', a: { 2: 'b', 1: 'a' } }],
    ['letters of every width', { schlüssel: 'Zürich', キー: '日本語', '😀': '👩‍👩‍👧', ﬀ: 'a\u0308 is not ä' }],
    ['whitespace, quotes and escapes', { text: ' "\\\t\n\r\u0001\u2028 ', empty: '' }],
    ['numbers', { tiny: 5e-324, small: 1.5e-300, safe: 2 ** 53 - 1, fraction: 0.1, zero: -0, negative: -7 }],
    ['texts that look like other things', { a: 'null', b: '1', c: 'true', d: "'; drop table intents; --", e: '{}' }],
    ['names of properties that every object has', { constructor: 1, toString: 2, hasOwnProperty: 3 }],
    ['64 KB', { text: 'ä'.repeat(16_000), more: 'x'.repeat(33_000) }],
    ['deep nesting', Array.from({ length: 30 }).reduce<JsonObject>((inner) => ({ inner }), { leaf: 1 })],
  ]
}

function snapshotOf(params: JsonObject): { canonical: string; digest: string; value: JsonObject } {
  const { value } = snapshot(params)
  const canonical = canonicalJson(value)
  return { canonical, digest: digestOf(canonical), value }
}

/** Name → intent: each differs from `base` in what a filter looks at. */
function filterable(): [name: string, state: State][] {
  return [
    ['base', aState({ source: 'refund-agent' })],
    ['later', aState({ source: 'refund-agent', createdAt: THEN + 1 })],
    ['denied', aState({ source: 'refund-agent' }, { status: 'denied' })],
    ['auto', aState({ source: 'refund-agent', verdict: 'auto_approve' })],
    ['logs', aState({ source: 'refund-agent', action: 'read_logs' })],
    ['upper', aState({ source: 'Refund-Agent' })],
    ['umlaut', aState({ source: 'réfund-agent' })],
    ['percent', aState({ source: '%' })],
    ['silent', aState({ source: undefined })],
    ['two', aState({ source: 'refund-agent', owner: 'key_two', declaredBy: 'key:key_two' })],
    ['foreign', aState({ source: 'refund-agent', projectId: OTHER_PROJECT })],
  ]
}

function FILTERS(): [what: string, query: Partial<IntentQuery>, expected: string[]][] {
  const own = ['base', 'later', 'denied', 'auto', 'logs', 'upper', 'umlaut', 'percent', 'silent', 'two']
  const without = (...names: string[]) => own.filter((name) => !names.includes(name))
  return [
    ['the project', {}, own],
    ['another project', { projectId: OTHER_PROJECT }, ['foreign']],
    ['a status', { status: 'pending' }, without('denied', 'auto')],
    ['a decision', { decision: 'auto_approve' }, ['auto']],
    ['an action', { action: 'read_logs' }, ['logs']],
    ['a source, exactly', { source: 'refund-agent' }, ['base', 'later', 'denied', 'auto', 'logs', 'two']],
    ['a source with a letter beyond ASCII', { source: 'réfund-agent' }, ['umlaut']],
    ['a source in capitals', { source: 'Refund-Agent' }, ['upper']],
    ['a source that is no pattern', { source: '%' }, ['percent']],
    ['an owner', { owners: ['key_two'] }, ['two']],
    ['some owners', { owners: ['key_one', 'key_two', 'key_none'] }, own],
    ['nobody', { owners: [] }, []],
    ['all of several filters', { status: 'pending', action: 'issue_refund', owners: ['key_two'] }, ['two']],
  ]
}

function aFullState(): State {
  const permit = aPermit()
  return aState(
    {
      agentId: 'agt_one',
      owner: 'agt_one',
      declaredBy: 'agent:agt_one',
      idempotency: { key: 'thread-1:call-1', fingerprint: digestOf('{}') },
      riskTierClaimed: 'low',
      riskTier: 'critical',
      riskScore: 87,
      riskFactors: [{ name: 'new_action', weight: 12 }] as unknown as State['declaration']['riskFactors'],
      source: 'refund-agent',
      environment: 'production',
      context: { reasoning: 'the customer asked', nested: { list: [1, 'zwei', null, true] } },
      metadata: { run: 'run_1' },
      approvers: ['ops-team', 'lead@example.com'],
      requestedBy: 'kim@example.com',
      policy: aPolicy({ approval: { approversRequired: 2, allOf: [{ group: 'security', count: 1 }] } }),
      policyRef: 'pol_one@3',
      approvalsRequired: 2,
      supersedes: 'int_before',
      edits: { schema: { type: 'object' } },
      reenters: true,
      idempotent: true,
      redactions: [{ pointer: '/customer_id', by: 'detector' }],
      chain: { length: 2, excluded: ['usr_eve'], requestedBy: ['kim@example.com'], editors: ['usr_bob'] },
    },
    {
      status: 'approved',
      resolution: { by: 'person', code: undefined, comment: 'looks right', earlierIntent: undefined },
      resolvedAt: THEN + 1000,
      supersededBy: 'int_after',
      useUntil: THEN + 3_601_000,
      votes: [aVote({ confirmed: true, comment: 'ja, „gut“ 👍', unseen: ['/customer_id'] }), aVote({ by: 'usr_bob' })],
      reveals: [{ by: 'usr_bob', pointer: '/customer_id', at: THEN + 500 }],
      approvals: [{ at: THEN + 1000, by: 'user:usr_ann', label: 'ann@example.com', via: 'session' }],
      execution: {
        state: 'started',
        continuations: 1,
        disputed: true,
        holder: { executionId: 'thread-1:call-1', attemptId: 'a1', continues: 1 },
        startedAt: THEN + 2000,
        deadline: THEN + 902_000,
        grants: 2,
        reportedBy: 'agent',
        reports: { agent: 'failed' },
        result: { digest: digestOf('1'), bytes: 1 },
      },
      permits: [aPermit({ revokedAt: THEN + 1500 }), permit, aPermit({ iat: undefined, exp: undefined })],
      redemptions: [aRedemption({ permitId: permit.id }), aRedemption({ permitId: permit.id, replayed: true })],
    },
  )
}

async function insert(store: Store, ...states: readonly State[]): Promise<void> {
  await store.transaction(async (tx) => {
    for (const state of states) await tx.insertIntent(state)
  })
}

async function change(store: Store, state: State): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.lockIntent(state.declaration.id)
    await tx.updateIntent(state)
  })
}

/** The ids of every page; at most a hundred pages. */
async function allPages(store: Store, query: IntentQuery): Promise<IntentId[][]> {
  const pages: IntentId[][] = []
  let cursor: string | undefined
  do {
    const page = await store.intents({ ...query, cursor })
    pages.push(idsOf(page.items))
    cursor = page.nextCursor
  } while (cursor !== undefined && pages.length < 100)
  return pages
}

function newestFirst(states: readonly State[]): IntentId[] {
  const order = (one: State, other: State) =>
    other.declaration.createdAt - one.declaration.createdAt || (one.declaration.id < other.declaration.id ? 1 : -1)
  return idsOf(states.toSorted(order))
}

function idsOf(states: readonly State[]): IntentId[] {
  return states.map(({ declaration }) => declaration.id)
}

/** A store may give frozen objects: then the change is refused where it is tried. */
function tamper(change: () => unknown): void {
  try {
    change()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
  }
}

/** What is neither a plain object nor an array, wherever it is. */
function strangeObjects(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  const plain = [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value))
  return [...(plain ? [] : [value]), ...Object.values(value).flatMap(strangeObjects)]
}
