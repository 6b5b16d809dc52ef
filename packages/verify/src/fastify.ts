/**
 * Permits for Fastify: a `preHandler` hook, when the body is parsed.
 *
 * @module
 */
import { admit, checkRequirement, keepPermit, type PermitRequirement, refusalAnswer } from './admission.js'
import type { RedeemedPermit } from './permit-verifier.js'

/** What of Fastify's request is touched. */
export interface FastifyRequestLike {
  readonly raw: { readonly rawHeaders: readonly string[] }
  readonly body: unknown
  permit?: RedeemedPermit
}
export interface FastifyReplyLike {
  code(status: number): unknown
  headers(values: Record<string, string>): unknown
  send(payload: unknown): unknown
}

/**
 * Lets a request pass only with a permit for exactly what `params` says; the handler finds it in `request.permit`, or by
 * `permitOf(request, action)` with the action in its type. Whatever is no refusal goes to Fastify's error handler.
 */
export function requirePermit<const Action extends string, Request extends FastifyRequestLike = FastifyRequestLike>(
  requirement: PermitRequirement<Action, Request>,
): (request: Request, reply: FastifyReplyLike) => Promise<unknown> {
  checkRequirement(requirement)
  return async (request, reply) => {
    try {
      const { rawHeaders: headers } = request.raw
      const permit = await admit(requirement, { headers, body: request.body, input: request })
      request.permit = permit
      keepPermit(request, permit)
      return undefined
    } catch (error) {
      const refusal = refusalAnswer(error)
      if (refusal === undefined) throw error
      reply.code(refusal.status)
      reply.headers({ ...refusal.headers })
      reply.send(refusal.body)
      // As Fastify asks of hooks that answer by themselves.
      return reply
    }
  }
}
