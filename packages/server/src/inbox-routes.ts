/**
 * Inbox routes: what a signed-in person sees and decides. The person comes from the session alone; GET changes nothing.
 *
 * @module
 */
import { type Desk, type Review, SilentAuthError, type Store, type Vote } from '@silentauth/core'
import { inboxItemToWire, reviewToWire } from '@silentauth/core/wire'
import { z } from 'zod'
import { inboxItemData, reviewData } from './answer-forms.js'
import {
  approveForm,
  inboxQuery,
  liftDenialForm,
  reconcileForm,
  refuseForm,
  revealForm,
  withdrawForm,
} from './request-forms.js'
import { type Route, route } from './route-table.js'
import type { SignedIn } from './session.js'
import { isSameVote, rememberRequest, type TransportRetry } from './transport-retry.js'

export interface InboxRoutesOptions {
  readonly desk: Desk
  readonly store: Store
}

/** The same routes under the name that an agent knows the intent by. */
const PREFIXES = ['/api/inbox', '/api/intents'] as const

export function inboxRoutes({ desk, store }: InboxRoutesOptions): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/inbox',
      access: 'person',
      summary: 'What waits for a decision, newest first; `can_vote` says what this person may do.',
      query: inboxQuery,
      data: z.array(inboxItemData),
      beside: { next_cursor: z.string().nullable() },
      async handle({ who, query: { status, ...filter } }) {
        const page = await desk.inbox(who.principal, {
          ...filter,
          status: status === 'pending_approval' ? 'pending' : status,
        })
        return { data: page.items.map(inboxItemToWire), beside: { next_cursor: page.nextCursor ?? null } }
      },
    }),

    route({
      method: 'GET',
      path: '/api/inbox/{id}',
      access: 'person',
      summary: 'The review: the redacted view, its hash, policy, risk, votes, and whether this person may vote.',
      data: reviewData,
      errors: ['NOT_FOUND'],
      handle: async ({ who, intentId }) => ({ data: reviewToWire(await desk.read(who.principal, intentId)) }),
    }),

    ...PREFIXES.flatMap((prefix) => voteRoutes(prefix, { desk, store })),

    route({
      method: 'POST',
      path: '/api/inbox/{id}/withdraw',
      access: 'person',
      summary: 'Takes an approval back: what has not begun never will, what has gets no further permit.',
      body: withdrawForm,
      data: reviewData,
      errors: ['NOT_FOUND', 'NOT_AN_APPROVER', 'SELF_APPROVAL', 'NOT_APPROVED', 'ALREADY_RESOLVED'],
      async handle({ who, intentId, body: { reason }, retry }) {
        await rememberRequest(store, who.principal.id, intentId, retry)
        return { data: reviewToWire(await desk.withdraw(who.principal, intentId, reason)) }
      },
    }),

    route({
      method: 'POST',
      path: '/api/inbox/{id}/reconcile',
      access: 'person',
      summary: 'Says whether an execution that never reported has happened.',
      body: reconcileForm,
      data: reviewData,
      errors: ['NOT_FOUND', 'NOT_AN_APPROVER', 'SELF_APPROVAL', 'NOT_APPROVED', 'IN_FLIGHT', 'ALREADY_RESOLVED'],
      async handle({ who, intentId, body, retry }) {
        await rememberRequest(store, who.principal.id, intentId, retry)
        return { data: reviewToWire(await desk.reconcile(who.principal, intentId, body)) }
      },
    }),

    route({
      method: 'POST',
      path: '/api/inbox/{id}/lift-denial',
      access: 'person',
      summary: 'Lets the agent ask again for what a person denied, before the denial is forgotten.',
      body: liftDenialForm,
      data: reviewData,
      errors: ['NOT_FOUND', 'NOT_AN_APPROVER', 'SELF_APPROVAL', 'ASSURANCE_REQUIRED', 'POLICY_CHANGED'],
      async handle({ who, intentId, retry }) {
        await rememberRequest(store, who.principal.id, intentId, retry)
        return { data: reviewToWire(await desk.liftDenial(who.principal, intentId)) }
      },
    }),

    route({
      method: 'POST',
      path: '/api/inbox/{id}/reveal',
      access: 'person',
      summary: 'Shows one hidden value to this person; the log names who asked.',
      body: revealForm,
      data: z.strictObject({ pointer: z.string(), value: z.json() }) as unknown as z.ZodType<{
        pointer: string
        value: unknown
      }>,
      errors: ['NOT_FOUND', 'NOT_AN_APPROVER', 'SELF_APPROVAL'],
      async handle({ who, intentId, body: { pointer }, retry }) {
        await rememberRequest(store, who.principal.id, intentId, retry)
        return { data: { pointer, value: await desk.reveal(who.principal, intentId, pointer) } }
      },
    }),
  ]
}

function voteRoutes(prefix: (typeof PREFIXES)[number], options: InboxRoutesOptions): readonly Route[] {
  const common = { method: 'POST', access: 'person', data: reviewData } as const
  const errors = [
    'NOT_FOUND',
    'STALE_VIEW',
    'ALREADY_VOTED',
    'ALREADY_RESOLVED',
    'SELF_APPROVAL',
    'NOT_AN_APPROVER',
    'ASSURANCE_REQUIRED',
  ] as const
  return [
    route({
      ...common,
      path: `${prefix}/{id}/approve`,
      summary: 'Votes for it; with `parameters`, declares the successor that has them.',
      body: approveForm,
      errors: [
        ...errors,
        'CONFIRMATION_REQUIRED',
        'EDITS_NOT_ACCEPTED',
        'AGENT_PAUSED',
        'AGENT_REVOKED',
        'POLICY_CHANGED',
      ],
      async handle({ who, intentId, body: { intent_hash: intentHash, comment, confirm, parameters: params }, retry }) {
        const vote: Vote = { verdict: 'approve', intentHash, comment, confirm, params }
        return { data: reviewToWire(await cast(options, who, intentId, vote, retry)) }
      },
    }),
    ...(['deny', 'request-changes'] as const).map((name) =>
      route({
        ...common,
        path: `${prefix}/{id}/${name}`,
        summary: name === 'deny' ? 'Votes against it.' : 'Asks the agent to change it and to declare it anew.',
        body: refuseForm,
        errors,
        async handle({ who, intentId, body: { intent_hash: intentHash, comment }, retry }) {
          const vote: Vote = { verdict: name === 'deny' ? 'deny' : 'request_changes', intentHash, comment }
          return { data: reviewToWire(await cast(options, who, intentId, vote, retry)) }
        },
      }),
    ),
  ]
}

async function cast(
  { desk, store }: InboxRoutesOptions,
  { principal, person }: SignedIn,
  id: Parameters<Desk['vote']>[1],
  vote: Vote,
  retry: TransportRetry | undefined,
): Promise<Review> {
  const { repeated } = await rememberRequest(store, principal.id, id, retry)
  try {
    return await desk.vote(principal, id, vote)
  } catch (error) {
    if (!repeated || !(error instanceof SilentAuthError)) throw error
    const review = await desk.read(principal, id)
    if (isSameVote(error, review, person, vote.verdict)) return review
    throw error
  }
}
