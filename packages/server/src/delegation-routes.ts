/**
 * Routes of delegations: who votes in whose stead while they are away. For the person themselves; the registrar lets an owner or
 * admin do it for somebody else, and no project key ever.
 *
 * @module
 */
import type { Registrar } from '@silentauth/core'
import { delegationForm, noForm, personData, personToWire } from './registry-forms.js'
import { pathId, type Route, route } from './route-table.js'

export function delegationRoutes({ registrar }: { readonly registrar: Registrar }): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/api/people/{person}/delegation',
      access: 'person',
      summary: "Lets somebody else vote in this person's stead until `ends_at`, at most 90 days from now.",
      body: delegationForm,
      data: personData,
      errors: ['NOT_FOUND'],
      async handle({ who, path, body: { to, starts_at: startsAt, ends_at: endsAt } }) {
        const person = await registrar.delegate(who.principal, pathId(path, 'person', 'usr'), {
          to,
          startsAt: startsAt === undefined ? undefined : Date.parse(startsAt),
          endsAt: Date.parse(endsAt),
        })
        return { data: personToWire(person) }
      },
    }),
    route({
      method: 'POST',
      path: '/api/people/{person}/delegation/end',
      access: 'person',
      summary: 'Ends it at once; what was voted before stays.',
      body: noForm,
      data: personData,
      errors: ['NOT_FOUND'],
      handle: async ({ who, path }) => ({
        data: personToWire(await registrar.endDelegation(who.principal, pathId(path, 'person', 'usr'))),
      }),
    }),
  ]
}
