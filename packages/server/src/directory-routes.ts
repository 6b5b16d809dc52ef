/**
 * Routes of people and groups: who may sign in, as what, and who belongs to whom.
 *
 * @module
 */
import { type Registrar, type Role, SilentAuthError } from '@silentauth/core'
import { z } from 'zod'
import { listPage, listQuery } from './list-page.js'
import {
  groupData,
  groupForm,
  groupName,
  memberForm,
  personChangeForm,
  personData,
  personForm,
  personToWire,
} from './registry-forms.js'
import { pathId, type Route, route } from './route-table.js'

const APPROVER: readonly Role[] = ['approver']

export function directoryRoutes({ registrar }: { readonly registrar: Registrar }): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/people',
      access: 'person',
      roles: ['owner', 'admin', 'auditor'],
      summary: 'Everybody of the project, disabled ones too.',
      query: listQuery,
      data: z.array(personData),
      beside: { next_cursor: z.string().nullable() },
      async handle({ who, query }) {
        const { people } = await registrar.directory(who.principal)
        return listPage(people, query, ({ id }) => id, personToWire)
      },
    }),
    route({
      method: 'POST',
      path: '/api/people',
      access: 'person',
      roles: ['owner', 'admin'],
      summary: 'Adds a person, as approver unless `roles` says otherwise. A repeated one answers 200.',
      body: personForm,
      data: personData,
      status: 201,
      async handle({ who, body: { email, roles = APPROVER, groups = [] } }) {
        const { person, created } = await registrar.addPerson(who.principal, { email, roles, groups })
        return { data: personToWire(person), status: created ? 201 : 200 }
      },
    }),
    route({
      method: 'POST',
      path: '/api/people/{person}',
      access: 'person',
      roles: ['owner', 'admin'],
      summary: 'Changes roles, groups, links to other accounts, or status; only an owner changes an owner.',
      body: personChangeForm,
      data: personData,
      errors: ['NOT_FOUND'],
      async handle({ who, path, body }) {
        const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
        return { data: personToWire(await registrar.changePerson(who.principal, pathId(path, 'person', 'usr'), given)) }
      },
    }),
    route({
      method: 'GET',
      path: '/api/groups',
      access: 'person',
      roles: ['owner', 'admin', 'auditor'],
      summary: 'The groups with their members, in the order of their names.',
      query: listQuery,
      data: z.array(groupData),
      beside: { next_cursor: z.string().nullable() },
      async handle({ who, query }) {
        const { groups, people } = await registrar.directory(who.principal)
        const membersOf = (group: string) => people.filter((person) => person.groups.includes(group))
        return listPage(
          groups,
          query,
          (name) => name,
          (name) => ({ name, members: membersOf(name).map(({ id }) => id) }),
        )
      },
    }),
    route({
      method: 'POST',
      path: '/api/groups',
      access: 'person',
      roles: ['owner', 'admin'],
      summary: 'Adds a group, without members. A repeated one answers 200.',
      body: groupForm,
      data: z.strictObject({ name: z.string() }),
      status: 201,
      async handle({ who, body: { name } }) {
        const { created } = await registrar.addGroup(who.principal, name)
        return { data: { name }, status: created ? 201 : 200 }
      },
    }),
    ...(['add', 'remove'] as const).map((act) =>
      route({
        method: 'POST',
        path: `/api/groups/{group}/${act}`,
        access: 'person',
        roles: ['owner', 'admin'],
        summary:
          act === 'add'
            ? 'Adds a member to a group.'
            : 'Takes a member out: what they have voted no longer counts as the group.',
        body: memberForm,
        data: personData,
        errors: ['NOT_FOUND'],
        handle: async ({ who, path, body: { person } }) => ({
          data: personToWire(await registrar.setMember(who.principal, groupOf(path), person, act === 'add')),
        }),
      }),
    ),
  ]
}

function groupOf({ group }: Readonly<Record<string, string>>): string {
  const read = groupName.safeParse(group)
  if (read.success) return read.data
  throw new SilentAuthError('NOT_FOUND', 'the path names no group')
}
