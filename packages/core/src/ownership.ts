/**
 * Ownership: whose an intent is. Keys see and act on their own intents alone; everything else is not found.
 *
 * @module
 */
import { type Engine, notFound } from './engine.js'
import { SilentAuthError } from './errors.js'
import type { IntentId } from './id.js'
import type { Agent, ProjectKey } from './registry.js'
import type { State } from './state.js'

/** The scope of idempotency keys, and whose intents a key may see: the bound agent's, else its lineage's (I15). */
export function ownerOf(key: ProjectKey, bound: Agent | undefined): string {
  return bound ? `agent:${bound.id}` : `key:${key.lineage}`
}

/** All owners that a key may act for. */
export function ownersOf(key: ProjectKey): readonly string[] {
  return [...key.agents.map((id) => `agent:${id}`), `key:${key.lineage}`]
}

/** Another's intent is not found, rather than forbidden: its existence is nobody else's business. */
export function requireOwn({ declaration }: State, key: ProjectKey): void {
  const own = declaration.projectId === key.projectId && ownersOf(key).includes(declaration.owner)
  if (!own) throw notFound(declaration.id)
}

/**
 * By id, or by an idempotency key in any scope that the key acts in.
 *
 * @throws SilentAuthError `NOT_FOUND`; `IDEMPOTENCY_MISMATCH` when several agents of one key have used the idempotency key:
 * the approval that one of them got must not be found by another
 */
export async function readOwn(
  own: Engine,
  key: ProjectKey,
  ref: IntentId | { readonly idempotencyKey: string },
): Promise<State> {
  if (typeof ref === 'string') {
    const { state } = await own.read(ref)
    requireOwn(state, key)
    return state
  }
  const found = new Set<IntentId>()
  for (const owner of ownersOf(key)) {
    const id = await own.store.intentByIdempotencyKey(owner, ref.idempotencyKey)
    if (id) found.add(id)
  }
  const [id, another] = found
  if (!id) throw new SilentAuthError('NOT_FOUND', 'no intent has this idempotency key')
  if (another) {
    throw new SilentAuthError('IDEMPOTENCY_MISMATCH', `several agents of key ${key.id} used this idempotency key`, {
      field: 'idempotency_key',
    })
  }
  return (await own.read(id)).state
}
