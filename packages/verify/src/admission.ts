/**
 * Admission: the one function behind the adapters for web frameworks. A request comes in with its permit; a verified permit with
 * its params goes on to the handler, or a refusal goes back and the handler does not run.
 *
 * @module
 */
import { ERROR_STATUS, isSilentAuthError } from '@silentauth/core'
import { type PermitCarrier, permitFromRequest, withoutPermit } from './permit-carrier.js'
import type { PermitVerifier, RedeemedPermit } from './permit-verifier.js'

/** What a route asks of a permit. */
export interface PermitRequirement<Action extends string, Input> {
  readonly verifier: PermitVerifier
  readonly action: Action
  /**
   * The params that the handler is about to execute: from the body, the path, wherever they are. The handler takes them from
   * `permit.params`, so that what runs is what was compared.
   *
   * @param input what the framework hands to its handlers
   * @param body as parsed, without `permit_token`; undefined when it is not JSON
   */
  readonly params: (input: Input, body: unknown) => unknown
  /** @default that of the verifier */
  readonly audience?: string | undefined
  /**
   * Who presents the permit (its `sub`: `agent:<id>`, or `key:<id>` of a key that is bound to none), as the request was
   * authenticated: another's is refused. @default not compared: whoever holds a permit may present it
   */
  readonly subject?: ((input: Input) => string) | undefined
  /** The action may run again, with `permit.intentId` as its idempotency key: see `permit.replayed`. @default false */
  readonly idempotent?: boolean | undefined
}

/** @throws TypeError when a member is missing: at start, not at the first request */
export function checkRequirement(requirement: PermitRequirement<string, never>): void {
  const { verifier, action, params, subject } = requirement
  if (typeof verifier?.verify !== 'function') throw new TypeError('verifier is required: permitVerifier(…)')
  if (typeof action !== 'string' || action === '') throw new TypeError('action is required')
  if (typeof params !== 'function') throw new TypeError('params is a function of the request')
  if (subject !== undefined && typeof subject !== 'function')
    throw new TypeError('subject is a function of the request')
}

/** @throws SilentAuthError `PERMIT_MISSING`, and whatever the verifier refuses; what `params` throws */
export async function admit<const Action extends string, Input>(
  requirement: PermitRequirement<Action, Input>,
  request: PermitCarrier & { readonly input: Input },
): Promise<RedeemedPermit<Action>> {
  const { verifier, action, params, audience, subject, idempotent } = requirement
  const token = permitFromRequest(request)
  return verifier.verify(token, {
    action,
    params: await params(request.input, withoutPermit(request.body)),
    audience,
    idempotent,
    // A function that knows nobody must not turn the comparison off.
    ...(subject && { subject: requiredText(subject(request.input)) }),
  })
}

function requiredText(subject: unknown): string {
  if (typeof subject !== 'string' || subject === '') throw new TypeError('subject(…) says who presents the permit')
  return subject
}

export interface RefusalAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: {
    readonly data: null
    readonly error: { readonly code: string; readonly message: string; readonly hint: string }
  }
}

/** The answer to a request that was not admitted; undefined when the error is no refusal, but a fault of the backend. */
export function refusalAnswer(error: unknown): RefusalAnswer | undefined {
  if (!isSilentAuthError(error)) return undefined
  const { code, message, hint, retryAfterSeconds } = error
  return {
    // What has no status is made on this side: the gate or its keys cannot be reached.
    status: ERROR_STATUS[code] ?? 503,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...(ERROR_STATUS[code] === 401 && { 'www-authenticate': 'Permit' }),
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(Math.ceil(retryAfterSeconds)) }),
    },
    body: { data: null, error: { code, message, hint } },
  }
}

const admitted = new WeakMap<object, RedeemedPermit>()

/** Remembers what was admitted for a request, where no other code can put anything. */
export function keepPermit(request: object, permit: RedeemedPermit): void {
  admitted.set(request, permit)
}

/**
 * The permit that `requirePermit` admitted for this request (Hono: its context), as the proof that a function asks for:
 * `refund(permitOf(c, 'issue_refund'))`.
 *
 * @throws TypeError when no `requirePermit` for this action stands before the handler
 */
export function permitOf<const Action extends string>(request: object, action: Action): RedeemedPermit<Action> {
  const permit = admitted.get(request)
  if (permit?.action !== action) throw new TypeError(`no requirePermit for ${action} stands before this handler`)
  return permit as RedeemedPermit<Action>
}
