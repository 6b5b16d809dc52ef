/**
 * Routes of registered agents: which there are, who answers for them, and the kill switch.
 *
 * @module
 */
import { type Agent, type AgentDraft, type Registrar, SilentAuthError } from '@silentauth/core'
import { z } from 'zod'
import { listPage, listQuery } from './list-page.js'
import { agentChangeForm, agentData, agentForm, agentToWire, noForm } from './registry-forms.js'
import { pathId, type Route, route } from './route-table.js'

const STATUS = { pause: 'paused', resume: 'active', revoke: 'revoked' } as const satisfies Record<
  string,
  Agent['status']
>
const SUMMARY = {
  pause: 'Stops the agent, here at once and at every backend within two minutes; its owner may too.',
  resume: 'Lets a paused agent run again.',
  revoke: 'Stops the agent for good; its owner may too.',
} as const

export function registeredAgentRoutes({ registrar }: { readonly registrar: Registrar }): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/agents',
      access: 'person',
      roles: ['owner', 'admin', 'auditor'],
      summary: 'The registered agents, in the order of their ids.',
      query: listQuery,
      data: z.array(agentData),
      beside: { next_cursor: z.string().nullable() },
      async handle({ who, query }) {
        return listPage(await registrar.agents(who.principal), query, ({ id }) => id, agentToWire)
      },
    }),
    route({
      method: 'POST',
      path: '/api/agents',
      access: 'person',
      roles: ['owner', 'admin'],
      summary: 'Registers an agent; without a fingerprint, one is made of its name. A repeated one answers 200.',
      body: agentForm,
      data: agentData,
      status: 201,
      errors: ['NOT_FOUND'],
      async handle({ who, body }) {
        const { agent, created } = await registrar.registerAgent(who.principal, draftOf(body))
        return { data: agentToWire(agent), status: created ? 201 : 200 }
      },
    }),
    route({
      method: 'GET',
      path: '/api/agents/{agent}',
      access: 'person',
      roles: ['owner', 'admin', 'auditor'],
      summary: 'One agent.',
      data: agentData,
      errors: ['NOT_FOUND'],
      handle: async ({ who, path }) => ({
        data: agentToWire(await registrar.agent(who.principal, pathId(path, 'agent', 'agt'))),
      }),
    }),
    route({
      method: 'POST',
      path: '/api/agents/{agent}',
      access: 'person',
      roles: ['owner', 'admin'],
      summary: 'Changes what is said of an agent. Its owner cannot name another owner.',
      body: agentChangeForm,
      data: agentData,
      errors: ['NOT_FOUND'],
      handle: async ({ who, path, body }) => ({
        data: agentToWire(await registrar.changeAgent(who.principal, pathId(path, 'agent', 'agt'), changesOf(body))),
      }),
    }),
    ...(['pause', 'resume', 'revoke'] as const).map((act) =>
      route({
        method: 'POST',
        path: `/api/agents/{agent}/${act}`,
        access: 'person',
        // Who may stop one depends on whose it is.
        roles: act === 'resume' ? ['owner', 'admin'] : undefined,
        summary: SUMMARY[act],
        body: noForm,
        bodyOptional: true,
        data: agentData,
        errors: ['NOT_FOUND', 'AGENT_REVOKED'],
        handle: async ({ who, path }) => ({
          data: agentToWire(await registrar.setAgentStatus(who.principal, pathId(path, 'agent', 'agt'), STATUS[act])),
        }),
      }),
    ),
  ]
}

function draftOf(body: z.output<typeof agentForm>): AgentDraft {
  const { name, fingerprint, framework, owner, risk_sensitivity: riskSensitivity, enforce = false } = body
  return { name, fingerprint: fingerprint ?? fingerprintOf(name), framework, owner, riskSensitivity, enforce }
}

function changesOf(body: z.output<typeof agentChangeForm>): Partial<Omit<AgentDraft, 'fingerprint'>> {
  const { name, framework, owner, risk_sensitivity: riskSensitivity, enforce } = body
  return {
    ...(name !== undefined && { name }),
    ...(framework !== undefined && { framework: framework ?? undefined }),
    ...(owner !== undefined && { owner: owner ?? undefined }),
    ...(riskSensitivity !== undefined && { riskSensitivity: riskSensitivity ?? undefined }),
    ...(enforce !== undefined && { enforce }),
  }
}

/** `Refund Agent v1` is `refund-agent-v1`. */
function fingerprintOf(name: string): string {
  const words = name.toLowerCase().match(/[a-z0-9]+/g)
  if (words) return words.join('-')
  throw new SilentAuthError('INVALID_FIELD', 'fingerprint: none can be made of this name', { field: 'fingerprint' })
}
