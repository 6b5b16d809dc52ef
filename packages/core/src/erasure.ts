/**
 * Erasure: the values that the log only commits to are taken away for good, intent by intent. What it says stays, and so does its
 * tree; a leaf says who took them away.
 *
 * @module
 */
import { VALUES_ERASED } from './audit-verify.js'
import { requireComment } from './comment.js'
import type { Engine } from './engine.js'
import { SilentAuthError } from './errors.js'
import type { IntentId } from './id.js'
import { clock } from './lifecycle.js'
import type { Principal } from './registry.js'
import { refused } from './state.js'

/**
 * Of every leaf of one intent. Params that are still to be decided on or executed are not erased: nobody could say later what was.
 *
 * @returns how many values; 0, and no leaf, when they are gone already
 * @throws SilentAuthError `FORBIDDEN` for whoever is no owner or admin now, `NOT_FOUND`, `IN_FLIGHT`
 */
export async function eraseValues(own: Engine, by: Principal, id: IntentId, reason: string): Promise<number> {
  requireComment(reason, 'reason')
  return own.write(async (writer) => {
    const { tx, leaf } = writer
    const { people } = await tx.directory(own.projectId)
    const person = people.find((one) => one.id === by.id)
    const may = person?.status === 'active' && person.roles.some((role) => role === 'owner' || role === 'admin')
    if (!may) throw new SilentAuthError('FORBIDDEN', 'values are erased by owners and admins of the project')
    const stored = await writer.lock(id)
    const { state } = clock(stored, writer.now)
    const underWay = state.status === 'approved' && UNDER_WAY.has(state.execution.state)
    if (state.status === 'pending' || underWay) throw refused(state, 'IN_FLIGHT', 'it is not settled')
    const values = await tx.erasePayloads(own.projectId, id)
    if (values === 0) return 0
    // Not erased with them: it says why.
    const data = { by: `user:${by.id}`, values }
    await leaf(`user:${by.id}`, [{ type: VALUES_ERASED, intentId: id, data }], { reason })
    return values
  })
}

const UNDER_WAY = new Set(['none', 'started', 'suspended', 'delivered'])
