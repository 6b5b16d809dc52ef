/**
 * The erasure route: an owner or admin takes the values of a settled intent out of the log.
 *
 * @module
 */
import type { LocalGate } from '@silentauth/core'
import { z } from 'zod'
import { eraseForm } from './request-forms.js'
import { type Route, route } from './route-table.js'

export function erasureRoutes({ gate }: { readonly gate: Pick<LocalGate, 'eraseValues'> }): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/api/audit/erase/{id}',
      access: 'person',
      roles: ['owner', 'admin'],
      summary: 'Takes the values behind the commitments of a settled intent away, for good; the log stays whole.',
      body: eraseForm,
      data: z.strictObject({ values: z.int() }),
      errors: ['NOT_FOUND', 'IN_FLIGHT'],
      async handle({ who: { principal }, intentId, body: { reason } }) {
        return { data: { values: await gate.eraseValues(principal, intentId, reason) } }
      },
    }),
  ]
}
