/**
 * Permits for Express: middleware before a handler, after the body parser.
 *
 * @module
 */
import { admit, checkRequirement, keepPermit, type PermitRequirement, refusalAnswer } from './admission.js'
import type { RedeemedPermit } from './permit-verifier.js'

/** What of Express's request is touched. */
export interface ExpressRequest {
  readonly rawHeaders: readonly string[]
  readonly body?: unknown
  permit?: RedeemedPermit
}
export interface ExpressResponse {
  statusCode: number
  setHeader(name: string, value: string): unknown
  end(text: string): unknown
}

/**
 * Lets a request pass only with a permit for exactly what `params` says; the handler finds it in `req.permit`, or by
 * `permitOf(req, action)` with the action in its type. Whatever is no refusal goes to `next(error)`.
 */
export function requirePermit<const Action extends string, Request extends ExpressRequest = ExpressRequest>(
  requirement: PermitRequirement<Action, Request>,
): (req: Request, res: ExpressResponse, next: (error?: unknown) => void) => Promise<void> {
  checkRequirement(requirement)
  return async (req, res, next) => {
    try {
      const permit = await admit(requirement, { headers: req.rawHeaders, body: req.body, input: req })
      req.permit = permit
      keepPermit(req, permit)
    } catch (error) {
      const refusal = refusalAnswer(error)
      if (refusal === undefined) return next(error)
      res.statusCode = refusal.status
      for (const [name, value] of Object.entries(refusal.headers)) res.setHeader(name, value)
      res.end(JSON.stringify(refusal.body))
      return
    }
    next()
  }
}

declare global {
  namespace Express {
    interface Request {
      permit?: RedeemedPermit
    }
  }
}
