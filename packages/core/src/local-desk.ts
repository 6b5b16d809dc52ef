/**
 * The desk over a store: inbox, review and votes of signed-in people. Who they are comes from their session; what they
 * may do is read in the transaction that does it.
 *
 * @module
 */

import { requireComment } from './comment.js'
import { chainAfter, declarationOf, editedDraft } from './declare.js'
import { type Denial, deniedAction, isOf } from './denial.js'
import type { Desk, InboxItem, Review } from './desk.js'
import { satisfiesEditSchema } from './edit-schema.js'
import type { Engine, Writer } from './engine.js'
import { SilentAuthError } from './errors.js'
import { type IntentId, newId } from './id.js'
import type { EpochMs, Json, JsonObject, JsonPointer } from './json.js'
import { type Facts, judge } from './judgement.js'
import { clock, transition } from './lifecycle.js'
import type { Finding } from './oversight.js'
import { snapshot } from './params.js'
import { REDACTED } from './redaction.js'
import type { Person, Principal } from './registry.js'
import { inboxItemOf, reviewOf, valueAt } from './review.js'
import { refused, type State } from './state.js'
import type { StoreTransaction } from './store.js'
import type { Vote } from './vote.js'

export function localDesk({ engine: own }: { engine: Engine }): Desk {
  const { store, projectId } = own

  const review = async (principal: Principal, id: IntentId): Promise<Review> => {
    const { state, now } = await own.read(id)
    const facts = await own.facts(store, state.declaration)
    requireReader(person(facts, principal))
    const twins = await store.sameAction({
      projectId,
      declaredBy: state.declaration.declaredBy,
      action: state.declaration.action,
      paramsDigest: state.declaration.paramsDigest,
    })
    const denial = state.status === 'denied' ? await store.denial(deniedAction(state.declaration)) : undefined
    return reviewOf(state, principal, facts, judge(state.declaration, facts, now), {
      sameAction: twins.filter((twin) => twin !== id),
      denial: denial && isOf(denial, state) ? denial : undefined,
    })
  }

  return {
    async inbox(principal, filter = {}) {
      const limit = Math.min(filter.limit ?? 50, 100)
      const status = filter.status ?? 'pending'
      const { cursor, action } = filter
      const page = await store.intents({ projectId, status, action, limit, cursor })
      const now = await store.now()
      const items: InboxItem[] = []
      for (const stored of page.items) {
        const state = clock(stored, now).state
        const facts = await own.facts(store, state.declaration)
        requireReader(person(facts, principal))
        items.push(inboxItemOf(state, principal, judge(state.declaration, facts, now)))
      }
      return { items, nextCursor: page.nextCursor }
    },

    read: review,

    async vote(principal, id, vote) {
      requireVerdict(vote)
      requireComment(vote.comment)
      if (vote.params === undefined) {
        await own.change(id, async ({ judgement, facts }) => {
          requireReader(person(facts, principal))
          const { bench, ttlSeconds } = judgement
          const { sequencing } = own
          const command = {
            type: 'vote',
            by: principal,
            vote,
            bench,
            permitId: newId('pmt'),
            ttlSeconds,
            sequencing,
          } as const
          return { command, actor: `user:${principal.id}`, values: commentOf(vote) }
        })
      } else {
        await own.write((writer) => voteWithEdits(own, writer, principal, id, vote, vote.params as JsonObject))
      }
      return review(principal, id)
    },

    async withdraw(principal, id, reason) {
      requireComment(reason, 'reason')
      await own.change(id, async ({ judgement }) => ({
        command: { type: 'withdraw', by: principal, reason, bench: judgement.bench },
        actor: `user:${principal.id}`,
        values: { reason },
      }))
      return review(principal, id)
    },

    async reconcile(principal, id, finding) {
      requireFinding(finding)
      requireComment(finding.comment)
      await own.change(id, async ({ judgement }) => ({
        command: { type: 'reconcile', by: principal, finding, bench: judgement.bench },
        actor: `user:${principal.id}`,
        values: finding.comment ? { comment: finding.comment } : {},
      }))
      return review(principal, id)
    },

    async liftDenial(principal, id) {
      await own.change(id, async ({ tx, state, now, judgement }) => {
        const lifted = await takeDenialOf(tx, state, now)
        const command = { type: 'lift_denial', by: principal, bench: judgement.bench, lifted } as const
        return { command, actor: `user:${principal.id}` }
      })
      return review(principal, id)
    },

    async reveal(principal, id, pointer) {
      const { state } = await own.change(id, async ({ state, judgement, facts }) => {
        requireRevealer(state, pointer, person(facts, principal))
        const command = { type: 'reveal', by: principal, pointer, bench: judgement.bench } as const
        return { command, actor: `user:${principal.id}` }
      })
      return valueAt(state.declaration.params, pointer)
    },
  }
}

/** Nothing of a later denial, which whoever lifts has not seen. */
async function takeDenialOf(tx: StoreTransaction, state: State, now: EpochMs): Promise<Denial | undefined> {
  const found = await tx.denial(deniedAction(state.declaration))
  if (!found || found.expiresAt <= now || !isOf(found, state)) return undefined
  const taken = await tx.takeDenial(found)
  if (!taken || isOf(taken, state)) return taken
  // It came between the two.
  await tx.putDenial(taken)
  return undefined
}

/** I5, I12: the edited params become an intent of their own, judged by policy, in the transaction of the vote. */
async function voteWithEdits(
  own: Engine,
  writer: Writer,
  principal: Principal,
  id: IntentId,
  vote: Vote,
  edited: JsonObject,
): Promise<void> {
  const state = await writer.lock(id)
  const { tx, now } = writer
  const { declaration } = state
  const facts = await own.facts(tx, declaration)
  requireReader(person(facts, principal))
  const { bench, ttlSeconds } = judge(declaration, facts, now)
  const ids = { successor: newId('int'), permitId: newId('pmt') }
  const superseded = transition(state, { type: 'vote', by: principal, vote, bench, ttlSeconds, ...ids }, now)

  const params = snapshot(edited)
  if (params.digest === declaration.paramsDigest) {
    throw refused(state, 'INVALID_FIELD', 'the edited parameters are the same', 'parameters')
  }
  requireNoPlaceholder(state, params.value)
  requireSchema(state, params.value)
  if (!facts.key) throw refused(state, 'UNAUTHORIZED', 'its key is gone')
  const twins = await tx.sameAction({
    projectId: own.projectId,
    declaredBy: declaration.declaredBy,
    action: declaration.action,
    paramsDigest: params.digest,
  })
  const successor = declarationOf({
    id: ids.successor,
    draft: editedDraft(declaration, params.value),
    params,
    key: facts.key,
    facts,
    chain: chainAfter(superseded.state, facts),
    earlierOfAction: await tx.countDeclared(declaration.declaredBy, declaration.action),
    unsettledTwins: twins.length,
    now,
  })
  const resolution = {
    by: 'policy',
    code: successor.evaluation.code,
    comment: undefined,
    earlierIntent: undefined,
  } as const
  const earlierDenial = (await tx.denial(deniedAction(successor.declaration)))?.intentId
  const declared = transition(
    undefined,
    {
      type: 'declare',
      declaration: successor.declaration,
      resolution,
      earlierDenial,
      permitId: newId('pmt'),
      sequencing: own.sequencing,
    },
    now,
  )
  await writer.save(state, superseded)
  await writer.save(undefined, declared)
  const values = { params: params.value, ...(vote.comment && { comment: vote.comment }) }
  const events = [...superseded.events, ...declared.events]
  await writer.leaf(`user:${principal.id}`, events, values, id)
}

/** Whoever edits a view sends its placeholders back: they would become the values that they stand for. */
function requireNoPlaceholder(state: State, params: JsonObject): void {
  const holds = (value: Json): boolean =>
    value !== null &&
    typeof value === 'object' &&
    (Object.hasOwn(value, REDACTED) || Object.values(value as JsonObject).some(holds))
  if (holds(params)) {
    throw refused(state, 'INVALID_FIELD', 'the edited parameters hold the placeholder of a hidden value', 'parameters')
  }
}

function requireSchema(state: State, params: JsonObject): void {
  const { edits } = state.declaration
  if (edits === false) return
  if (!satisfiesEditSchema(edits.schema, params)) {
    throw refused(state, 'INVALID_FIELD', "the edited parameters do not fit the tool's schema", 'parameters')
  }
}

function person({ directory }: Facts, principal: Principal): Person | undefined {
  return directory.people.find(({ id }) => id === principal.id)
}

/** Whoever has a role here, or may be named as an approver, may look. */
function requireReader(reader: Person | undefined): asserts reader is Person {
  if (reader?.status !== 'active') {
    throw new SilentAuthError('FORBIDDEN', 'this account is not active in this project')
  }
}

/** What policy hides is for owners and admins; what only a detector hid, every eligible voter may reveal. */
function requireRevealer(state: State, pointer: JsonPointer, reader: Person | undefined): void {
  requireReader(reader)
  const hidden = state.declaration.redactions.find((redaction) => redaction.pointer === pointer)
  const trusted = reader.roles.some((role) => role === 'owner' || role === 'admin')
  if (hidden?.by === 'policy' && !trusted) {
    throw refused(state, 'FORBIDDEN', 'the policy hides this value from everyone but owners and admins', 'pointer')
  }
}

/** What comes over a wire may be none of the words that the type allows; such a vote would be spent on nothing. */
function requireVerdict({ verdict }: Vote): void {
  if (verdict !== 'approve' && verdict !== 'deny' && verdict !== 'request_changes') {
    throw new SilentAuthError('INVALID_FIELD', 'verdict is none of approve, deny, request_changes', {
      field: 'verdict',
    })
  }
}

function requireFinding({ finding }: Finding): void {
  if (finding !== 'happened' && finding !== 'did_not_happen') {
    throw new SilentAuthError('INVALID_FIELD', 'finding is neither happened nor did_not_happen', { field: 'finding' })
  }
}

function commentOf(vote: Vote): Readonly<Record<string, Json>> {
  return vote.comment ? { comment: vote.comment } : {}
}
