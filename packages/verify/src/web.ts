/**
 * Permits for handlers of web requests: `Request` in, `Response` out.
 *
 * @module
 */
import { admit, checkRequirement, keepPermit, type PermitRequirement, refusalAnswer } from './admission.js'
import type { RedeemedPermit } from './permit-verifier.js'
import { jsonBody } from './request-body.js'

/** @param request with its body, which can be read as if nobody had */
export type PermitHandler<Action extends string> = (
  permit: RedeemedPermit<Action>,
  request: Request,
) => Response | Promise<Response>

/**
 * A handler of requests that runs `handler` only with a permit for exactly what `params` says. Refusals are answered as
 * `{ data: null, error: { code, message, hint } }`.
 */
export function requirePermit<const Action extends string>(
  requirement: PermitRequirement<Action, Request>,
  handler: PermitHandler<Action>,
): (request: Request) => Promise<Response> {
  checkRequirement(requirement)
  if (typeof handler !== 'function') {
    throw new TypeError(
      'handler is required; Hono, Express and Fastify have a requirePermit of their own, in @silentauth/verify/hono, …',
    )
  }
  return async (original) => {
    let permit: RedeemedPermit<Action>
    let request: Request
    try {
      ;({ permit, request } = await verified(original, requirement))
    } catch (error) {
      const refusal = refusalAnswer(error)
      if (refusal === undefined) throw error
      return new Response(JSON.stringify(refusal.body), { status: refusal.status, headers: refusal.headers })
    }
    keepPermit(request, permit)
    return handler(permit, request)
  }
}

/**
 * The permit of one request, for routers of your own.
 *
 * @throws SilentAuthError `PERMIT_MISSING`, and whatever the verifier refuses; `refusalAnswer` makes the answer
 */
export async function verifyRequest<const Action extends string>(
  request: Request,
  requirement: PermitRequirement<Action, Request>,
): Promise<RedeemedPermit<Action>> {
  checkRequirement(requirement)
  return (await verified(request, requirement)).permit
}

async function verified<const Action extends string>(
  original: Request,
  requirement: PermitRequirement<Action, Request>,
): Promise<{ permit: RedeemedPermit<Action>; request: Request }> {
  const { body, request } = await jsonBody(original)
  // `params` may read the body itself, and so may the handler.
  const input = request.body === null ? request : request.clone()
  return { permit: await admit(requirement, { headers: request.headers, body, input }), request }
}
