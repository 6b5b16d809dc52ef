/**
 * Registry forms: what bodies about agents, keys, people and groups may hold, and the shapes of their answers.
 *
 * @module
 */
import type { Agent, AgentId, KeyId, Person, ProjectKey, Role, UserId } from '@silentauth/core'
import { instant } from '@silentauth/core/wire'
import { z } from 'zod'

/** Shown in lists and in the inbox: nothing in it that a screen would not show as it is. */
const plain = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+$/u, 'must be plain text')
const idOf = <Id extends string>(prefix: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[0-9a-z]{1,64}$`), `must be ${prefix}_…`)
    .transform((value) => value as Id)
const userId = idOf<UserId>('usr')
const maybe = <Form extends z.ZodType>(form: Form) => form.nullish().transform((value) => value ?? undefined)

const riskTier = z.enum(['low', 'medium', 'high', 'critical'])
const frameworks = ['python', 'langchain', 'openai', 'ai_sdk', 'autogen', 'crewai', 'mcp', 'other'] as const
const roles: z.ZodType<Role[]> = z.array(z.enum(['owner', 'admin', 'approver', 'auditor', 'developer'])).max(5)
/** No `@`: where policies name groups and e-mails side by side, neither can pass for the other. */
export const groupName = plain(128).regex(/^[^@]+$/, 'must not hold @')
const groups = z.array(groupName).max(100)

export const noForm = z.strictObject({})

export const agentForm = z.strictObject({
  name: plain(128),
  fingerprint: maybe(plain(128)),
  framework: maybe(z.enum(frameworks)),
  owner: maybe(userId),
  risk_sensitivity: maybe(riskTier),
  enforce: maybe(z.boolean()),
})
/** What is absent stays; null takes it away. */
export const agentChangeForm = z.strictObject({
  name: plain(128).optional(),
  framework: z.enum(frameworks).nullable().optional(),
  owner: userId.nullable().optional(),
  risk_sensitivity: riskTier.nullable().optional(),
  enforce: z.boolean().optional(),
})
export const keyForm = z.strictObject({
  kind: z.enum(['agent', 'verifier']),
  name: plain(128),
  agents: maybe(z.array(idOf<AgentId>('agt')).max(50)),
  environment: maybe(plain(128)),
  replaces: maybe(idOf<KeyId>('key')),
})
export const personForm = z.strictObject({ email: z.email().max(254), roles: maybe(roles), groups: maybe(groups) })
export const personChangeForm = z.strictObject({
  roles: roles.optional(),
  groups: groups.optional(),
  linked: z.array(userId).max(20).optional(),
  status: z.enum(['active', 'disabled']).optional(),
})
/** `ends_at` at most 90 days from now; `starts_at`: now where it is absent. */
export const delegationForm = z.strictObject({
  to: userId,
  starts_at: maybe(z.iso.datetime({ offset: true })),
  ends_at: z.iso.datetime({ offset: true }),
})
export const groupForm = z.strictObject({ name: groupName })
export const memberForm = z.strictObject({ person: userId })

const text = z.string()

export const agentData = z.strictObject({
  id: text,
  name: text,
  fingerprint: text,
  framework: text.nullable(),
  status: z.enum(['active', 'paused', 'revoked']),
  owner: text.nullable(),
  risk_sensitivity: riskTier.nullable(),
  enforce: z.boolean(),
  project_id: text,
  last_seen_at: z.iso.datetime().nullable(),
})
const keyMembers = {
  id: text,
  kind: z.enum(['agent', 'verifier']),
  name: text,
  agents: z.array(text),
  environment: text.nullable(),
  status: z.enum(['active', 'disabled']),
  lineage: text,
  created_by: text,
  created_at: z.iso.datetime(),
}
export const keyData = z.strictObject(keyMembers)
export const createdKeyData = z.strictObject({
  ...keyMembers,
  /** Shown this once; null when the request was a repeated one. */
  secret: text.nullable(),
})
export const personData = z.strictObject({
  id: text,
  email: text,
  roles: z.array(text),
  groups: z.array(text),
  linked: z.array(text),
  status: z.enum(['active', 'disabled']),
  /** Who votes in their stead, and when. */
  delegation: z.strictObject({ to: text, starts_at: z.iso.datetime(), ends_at: z.iso.datetime() }).nullable(),
})
export const groupData = z.strictObject({ name: text, members: z.array(text) })

export function agentToWire(agent: Agent): z.input<typeof agentData> {
  return {
    id: agent.id,
    name: agent.name,
    fingerprint: agent.fingerprint,
    framework: agent.framework ?? null,
    status: agent.status,
    owner: agent.owner ?? null,
    risk_sensitivity: agent.riskSensitivity ?? null,
    enforce: agent.enforce,
    project_id: agent.projectId,
    last_seen_at: agent.lastSeenAt === undefined ? null : instant(agent.lastSeenAt),
  }
}

/** Never with the hash of its secret. */
export function keyToWire(key: ProjectKey): z.input<typeof keyData> {
  return {
    id: key.id,
    kind: key.kind,
    name: key.name,
    agents: [...key.agents],
    environment: key.environment ?? null,
    status: key.status,
    lineage: key.lineage,
    created_by: key.createdBy,
    created_at: instant(key.createdAt),
  }
}

export function personToWire(person: Person): z.input<typeof personData> {
  const { id, email, roles, groups, linked, status, delegation } = person
  return {
    id,
    email,
    roles: [...roles],
    groups: [...groups],
    linked: [...linked],
    status,
    delegation: delegation
      ? { to: delegation.to, starts_at: instant(delegation.startsAt), ends_at: instant(delegation.endsAt) }
      : null,
  }
}
