/**
 * Permits for Hono: middleware before a handler.
 *
 * @module
 */
import { admit, checkRequirement, keepPermit, type PermitRequirement, refusalAnswer } from './admission.js'
import type { RedeemedPermit } from './permit-verifier.js'
import { jsonBody } from './request-body.js'

/** What of Hono's context is touched. */
export interface HonoContext {
  readonly req: { raw: Request; text(): Promise<string> }
  set(key: 'permit', value: RedeemedPermit): void
}

/** For `new Hono<{ Variables: PermitVariables }>()`. */
export interface PermitVariables<Action extends string = string> {
  permit: RedeemedPermit<Action>
}

/**
 * Lets a request pass only with a permit for exactly what `params` says; the handler finds it in `c.get('permit')`, or by
 * `permitOf(c, action)` with the action in its type.
 */
export function requirePermit<const Action extends string, Context extends HonoContext = HonoContext>(
  requirement: PermitRequirement<Action, Context>,
): (c: Context, next: () => Promise<void>) => Promise<Response | undefined> {
  checkRequirement(requirement)
  return async (c, next) => {
    try {
      const { body, request } = await jsonBody(await unread(c))
      c.req.raw = request
      const permit = await admit(requirement, { headers: request.headers, body, input: c })
      c.set('permit', permit)
      keepPermit(c, permit)
    } catch (error) {
      const refusal = refusalAnswer(error)
      if (refusal === undefined) throw error
      return new Response(JSON.stringify(refusal.body), { status: refusal.status, headers: refusal.headers })
    }
    await next()
    return undefined
  }
}

/** A validator that came before has read the body; Hono keeps what it read. */
async function unread(c: HonoContext): Promise<Request> {
  return c.req.raw.bodyUsed ? new Request(c.req.raw, { body: await c.req.text() }) : c.req.raw
}
