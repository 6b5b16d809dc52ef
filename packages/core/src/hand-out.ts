/**
 * Handing out: a permit leaves the gate in the answer to a claim, or (token delivery) in an answer to its declaring key,
 * while nothing would refuse it now. It is signed from stored claims, and no token is stored.
 *
 * @module
 */
import { satisfiesPolicy } from './claim.js'
import type { Engine } from './engine.js'
import { isSilentAuthError, SilentAuthError } from './errors.js'
import type { Claim } from './gate.js'
import type { Intent } from './intent.js'
import type { Json } from './json.js'
import { judge } from './judgement.js'
import { signPermit } from './permit.js'
import { intentOf, permitClaimsOf } from './public-intent.js'
import type { ProjectKey } from './registry.js'
import { awaitRelease, type LivingLog } from './release.js'
import type { Signer } from './signer.js'
import { type ClaimAnswer, type PermitRecord, type State, waitingPermit } from './state.js'

export interface HandOut {
  readonly issuer: string
  readonly publicUrl: string
  readonly signer: Signer
  readonly log?: LivingLog | undefined
}

/** The intent for its key; a token delivery carries its permit while nothing would refuse it now. */
export async function present(own: Engine, by: HandOut, found: State, key: ProjectKey): Promise<Intent> {
  const state = by.log && waitingPermit(found) ? await released(own, by.log, found) : found
  const permit = state.execution.state === 'delivered' ? state.permits.at(-1) : undefined
  if (!permit || permit.revokedAt !== undefined || state.redemptions.length > 0 || key.kind !== 'agent') {
    return intentOf(state, by.publicUrl)
  }
  const now = await own.store.now()
  const facts = await own.facts(own.store, state.declaration)
  const judgement = judge(state.declaration, facts, now)
  const stopped = facts.key?.status !== 'active' || (facts.agent && facts.agent.status !== 'active')
  const expired = permit.exp === undefined || now >= permit.exp * 1000
  const refused = stopped || expired || judgement.timeRestricted || !satisfiesPolicy(state, judgement)
  if (refused || !(await isWhole(own, by.log))) {
    return intentOf(state, by.publicUrl)
  }
  return intentOf(state, by.publicUrl, await signed(by, state, permit))
}

/** As it is once the permit that waited has begun; or as it was. */
async function released(own: Engine, log: LivingLog, found: State): Promise<State> {
  const { id } = found.declaration
  // A read only withholds.
  await awaitRelease(own, log, id).catch(() => undefined)
  return (await own.read(id)).state
}

/** R1: while the log is not what it was, nothing is handed out; a read only withholds. */
async function isWhole(own: Engine, log: LivingLog | undefined): Promise<boolean> {
  try {
    await log?.requireWhole(own.store)
    return true
  } catch (error) {
    if (isSilentAuthError(error) && error.code === 'LOG_REWRITTEN') return false
    throw error
  }
}

/** The answer to a claim. @param recorded what was kept of the result, for whoever may have it */
export async function claimOf(
  by: HandOut,
  state: State,
  answer: ClaimAnswer | undefined,
  recorded?: { readonly result: Json } | undefined,
): Promise<Claim> {
  switch (answer?.type) {
    case 'granted':
      return { type: 'granted', permit: await signed(by, state, answer.permit), params: state.declaration.params }
    case 'recorded':
      if (answer.status === 'failed') return { type: 'recorded', outcome: { status: 'failed' } }
      return {
        type: 'recorded',
        outcome: { status: 'succeeded', resultRecorded: recorded !== undefined, ...recorded },
      }
    case 'running':
    case 'unknown':
    case 'closed':
      return answer
    case undefined:
      throw new TypeError('a claim has an answer')
  }
}

/**
 * The signer can be a service of its own, and away. What was committed stands: the same call again signs the same claims.
 *
 * @throws SilentAuthError `GATE_UNAVAILABLE`, with the cause
 */
async function signed(by: HandOut, state: State, permit: PermitRecord): Promise<string> {
  try {
    return await signPermit(permitClaimsOf(state, permit, by.issuer), by.signer)
  } catch (cause) {
    if (isSilentAuthError(cause)) throw cause
    const intentId = state.declaration.id
    throw new SilentAuthError('GATE_UNAVAILABLE', `${intentId}: its permit could not be signed`, { intentId, cause })
  }
}
