/**
 * The registry is what a project knows before anybody asks: keys, agents, people, groups, sessions. Who may do what is
 * derived from it inside the transaction that does it, never from a token or a body.
 *
 * @module
 */
import type { AgentId, KeyId, ProjectId, SessionId, UserId } from './id.js'
import type { Via } from './intent.js'
import type { EpochMs } from './json.js'
import type { Policy } from './policy.js'
import type { RiskTier } from './risk.js'

export interface Project {
  readonly id: ProjectId
  readonly name: string
  /** IANA zone of time restrictions that name none. @default 'UTC' */
  readonly timezone: string
  /** Glob of actions → lowest tier that they can have. */
  readonly actionTiers: Readonly<Record<string, RiskTier>>
  /** Refuse sources that no agent is registered for. */
  readonly requireRegisteredAgents: boolean
  /** What `approved_by` names in permits. */
  readonly approverLabels: 'email' | 'id'
}

/** A project key: the credential of an agent or of a backend. It can never vote. */
export interface ProjectKey {
  readonly id: KeyId
  /** First key of its rotation: the scope of idempotency keys where no agent is bound. */
  readonly lineage: KeyId
  readonly projectId: ProjectId
  readonly kind: 'agent' | 'verifier'
  readonly name: string
  /** Bound agents: another `source` is `SOURCE_MISMATCH`, and pausing the agent stops the key. */
  readonly agents: readonly AgentId[]
  readonly environment: string | undefined
  /** Excluded from voting on what this key declares. */
  readonly createdBy: UserId | 'system:setup'
  readonly status: 'active' | 'disabled'
  /** SHA-256 of the secret, base64url. A secret of 256 random bits needs no slow hash. */
  readonly secretHash: string
  readonly createdAt: EpochMs
}

export interface Agent {
  readonly id: AgentId
  readonly projectId: ProjectId
  readonly name: string
  /** Sent as `source`. */
  readonly fingerprint: string
  readonly status: 'active' | 'paused' | 'revoked'
  /** Excluded from voting on what this agent asks for. */
  readonly owner: UserId | undefined
  readonly riskSensitivity: RiskTier | undefined
  /** What it is built with; informational. */
  readonly framework?: AgentFramework | undefined
  /** Makes `riskSensitivity` a minimum. */
  readonly enforce: boolean
  readonly lastSeenAt: EpochMs | undefined
}

export type AgentFramework = 'python' | 'langchain' | 'openai' | 'ai_sdk' | 'autogen' | 'crewai' | 'mcp' | 'other'

export type Role = 'owner' | 'admin' | 'approver' | 'auditor' | 'developer'

export interface Person {
  readonly id: UserId
  readonly projectId: ProjectId
  readonly email: string
  readonly roles: readonly Role[]
  readonly groups: readonly string[]
  /** Other accounts of the same human being: they count as one person, and are excluded together. */
  readonly linked: readonly UserId[]
  readonly status: 'active' | 'disabled'
  /** Who votes in their stead, and when. */
  readonly delegation?: Delegation | undefined
}

/** Holds from `startsAt` until before `endsAt`; `delegation.ts` has its rules. */
export interface Delegation {
  readonly to: UserId
  readonly startsAt: EpochMs
  readonly endsAt: EpochMs
}

/** Everybody of a project, and the names of its groups, also of empty ones. */
export interface Directory {
  readonly people: readonly Person[]
  readonly groups: readonly string[]
}

/** A sign-in. Its secret travels beside the cookie on every request, because a cookie reaches every port of a host. */
export interface Session {
  readonly id: SessionId
  readonly projectId: ProjectId
  readonly userId: UserId
  /** Votes of this session carry it. */
  readonly via: Via
  readonly secretHash: string
  readonly cookieHash: string
  readonly createdAt: EpochMs
  readonly expiresAt: EpochMs
}

/** The token of a sign-in link: single use. */
export interface SignInToken {
  readonly tokenHash: string
  readonly projectId: ProjectId
  readonly userId: UserId
  readonly via: Via
  readonly expiresAt: EpochMs
}

/** All policies of a project; `revision` changes with every change, so that a compiled set can be kept. */
export interface StoredPolicies {
  readonly revision: number
  readonly policies: readonly Policy[]
}

/** An authenticated project key, as the gate sees it. */
export interface KeyPrincipal {
  readonly type: 'key'
  readonly id: KeyId
  readonly projectId: ProjectId
}

/** A signed-in person, as the desk sees it. Roles, groups and links are read in the transaction, not carried along. */
export interface Principal {
  readonly type: 'person'
  readonly id: UserId
  readonly projectId: ProjectId
  readonly via: Via
}
