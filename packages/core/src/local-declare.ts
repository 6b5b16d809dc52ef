/**
 * Declaring over a store: the draft is judged, stored and logged in one transaction, or found to be there already.
 *
 * @module
 */
import { chainAfter, declarationOf, draftFingerprint, NO_CHAIN } from './declare.js'
import { deniedAction } from './denial.js'
import type { Engine, Writer } from './engine.js'
import { SilentAuthError } from './errors.js'
import { type IntentId, newId } from './id.js'
import type { IntentDraft } from './intent.js'
import type { EpochMs, Json } from './json.js'
import { clock, transition } from './lifecycle.js'
import { ownerOf, requireOwn } from './ownership.js'
import type { Snapshot } from './params.js'
import type { Agent, ProjectKey } from './registry.js'
import type { LifecycleEvent, State } from './state.js'
import type { StoreTransaction } from './store.js'

/** I1, I13, I15: one transaction from the draft to the stored intent. */
export async function declareIn(
  { engine: own, maxPendingPerKey: limit }: { readonly engine: Engine; readonly maxPendingPerKey: number },
  writer: Writer,
  key: ProjectKey,
  given: IntentDraft,
  params: Snapshot,
): Promise<{ state: State; created: boolean }> {
  const { tx } = writer
  if (key.kind !== 'agent') throw new SilentAuthError('FORBIDDEN', `key ${key.id} is a ${key.kind} key`)
  const { draft, bound } = await withSource(tx, key, given)
  const facts = await own.facts(tx, { keyId: key.id, source: draft.source, agentId: bound?.id })
  if (facts.project.requireRegisteredAgents && !facts.agent) {
    throw new SilentAuthError('FORBIDDEN', 'the project takes intents of registered agents only', { field: 'source' })
  }
  requireRunning(facts.agent)

  const owner = ownerOf(key, bound)
  if (draft.idempotencyKey !== undefined) {
    const earlier = await tx.intentByIdempotencyKey(owner, draft.idempotencyKey)
    if (earlier) return { state: await repeatedDeclare(tx, earlier, draft, params, writer.now), created: false }
  }
  const requireRoom = async (): Promise<void> => {
    if ((await tx.countPending(key.id)) < limit) return
    throw new SilentAuthError('RATE_LIMITED', `key ${key.id} has ${limit} pending intents`, { retryAfterSeconds: 30 })
  }
  await requireRoom()

  const predecessor = draft.supersedes ? await writer.lock(draft.supersedes) : undefined
  if (predecessor) requireOwn(predecessor, key)
  const declaredBy = bound ? (`agent:${bound.id}` as const) : (`key:${key.id}` as const)
  const twins = await tx.sameAction({
    projectId: own.projectId,
    declaredBy,
    action: draft.action,
    paramsDigest: params.digest,
  })
  const chain = predecessor ? chainAfter(predecessor, await own.facts(tx, predecessor.declaration)) : NO_CHAIN
  const earlierOfAction = await tx.countDeclared(declaredBy, draft.action)
  const judge = () =>
    declarationOf({ draft, params, key, facts, chain, earlierOfAction, unsettledTwins: twins.length, now: writer.now })
  let judged = judge()
  const earlierDenial = (await tx.denial(deniedAction(judged.declaration)))?.intentId
  if (judged.declaration.verdict === 'require_approval' && earlierDenial === undefined) {
    // Of those that declare at the same time, each sees only what was committed before: they take turns to count.
    await writer.lockKey(key.id)
    await requireRoom()
    judged = judge()
  }
  const { declaration, evaluation } = judged
  const { now } = writer

  const events: LifecycleEvent[] = []
  if (predecessor) {
    const gone = transition(predecessor, { type: 'supersede', successor: declaration.id }, now)
    await writer.save(predecessor, gone)
    events.push(...gone.events)
  }
  const resolution = {
    by: 'policy',
    code: evaluation.code,
    comment: undefined,
    earlierIntent: undefined,
  } as const
  const { sequencing } = own
  const permitId = newId('pmt')
  const command = { type: 'declare', declaration, resolution, earlierDenial, permitId, sequencing } as const
  const done = transition(undefined, command, now)
  await writer.save(undefined, done)
  events.push(...done.events)
  if (facts.agent) await tx.seeAgent(facts.agent.id, now)
  await writer.leaf(declaration.declaredBy, events, {
    params: declaration.params,
    ...(declaration.context && { context: declaration.context }),
    ...(declaration.metadata && { metadata: declaration.metadata }),
    ...(declaration.requestedBy && { requested_by: declaration.requestedBy }),
    ...(evaluation.shadow.length > 0 && { shadow: evaluation.shadow as unknown as Json }),
  })
  return { state: done.state, created: true }
}

/** A bound key speaks for its agents only, and for its one agent when it names none. */
async function withSource(
  tx: StoreTransaction,
  key: ProjectKey,
  draft: IntentDraft,
): Promise<{ draft: IntentDraft; bound: Agent | undefined }> {
  if (key.agents.length === 0) return { draft, bound: undefined }
  const agents = await Promise.all(key.agents.map((id) => tx.agent(id)))
  const bound =
    draft.source === undefined && agents.length === 1
      ? agents[0]
      : agents.find((agent) => agent?.fingerprint === draft.source)
  if (!bound) {
    throw new SilentAuthError('SOURCE_MISMATCH', `key ${key.id} is bound to other agents`, { field: 'source' })
  }
  return { draft: { ...draft, source: bound.fingerprint }, bound }
}

async function repeatedDeclare(
  tx: StoreTransaction,
  id: IntentId,
  draft: IntentDraft,
  params: Snapshot,
  now: EpochMs,
): Promise<State> {
  const state = await tx.intent(id)
  if (!state) {
    throw new SilentAuthError(
      'NOT_FOUND',
      `${id}: the intent of this idempotency key is gone, and its key stays taken`,
      {
        intentId: id,
        field: 'idempotency_key',
      },
    )
  }
  if (state.declaration.idempotency?.fingerprint !== draftFingerprint(draft, params)) {
    throw new SilentAuthError('IDEMPOTENCY_MISMATCH', `${id}: the same idempotency key came with other contents`, {
      intentId: id,
      field: 'idempotency_key',
    })
  }
  return clock(state, now).state
}

function requireRunning(agent: Agent | undefined): void {
  if (agent?.status === 'paused') {
    throw new SilentAuthError('AGENT_PAUSED', `agent ${agent.id} is paused`)
  }
  if (agent?.status === 'revoked') {
    throw new SilentAuthError('AGENT_REVOKED', `agent ${agent.id} is revoked`)
  }
}
