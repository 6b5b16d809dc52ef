/**
 * What the contract of gates is run against: a gate, the people who decide on what it declares, and what an operator can
 * change. It can be had over HTTP as well as in process.
 *
 * @module
 */

import type { ExecutionReport, RedeemRequest, VerifyRequest } from '../counter.js'
import type { Review } from '../desk.js'
import type { Gate } from '../gate.js'
import type { IntentId, UserId } from '../id.js'
import type { EpochMs, JsonObject } from '../json.js'
import type { Finding } from '../oversight.js'
import type { PermitClaims } from '../permit-claims.js'
import type { Agent, Person, Principal } from '../registry.js'
import type { Vote } from '../vote.js'

export interface GateHarness extends AsyncDisposable {
  /** Of an agent key that is bound to one registered agent. No policy matches yet: one person decides. */
  readonly gate: Gate
  /** Of another key of the same project, bound to no agent and made by nobody. */
  readonly otherGate: Gate
  readonly desk: GateDesk
  readonly counter: GateCounter
  /** Two people with the role of an approver, whom nothing excludes. */
  readonly approver: Principal
  readonly secondApprover: Principal
  /** Adds a person to the project. @default an approver in no group */
  person(details?: Partial<Pick<Person, 'email' | 'roles' | 'groups' | 'linked'>>): Promise<Principal>
  /** Writes a person again. */
  change(person: Principal, details: Partial<Omit<Person, 'id' | 'projectId'>>): Promise<void>
  /** Replaces all policies; as in a policy file, the first that matches wins. */
  setPolicies(policies: readonly JsonObject[]): Promise<void>
  /** Of the agent that `gate` is bound to. */
  setAgentStatus(status: Agent['status']): Promise<void>
  setAgentOwner(owner: UserId): Promise<void>
  /** Moves the clock of the gate forward. Absent: what needs it is skipped. */
  advance?: ((ms: number) => void | Promise<void>) | undefined
  /** Now, by the clock of the gate. */
  now(): EpochMs
  /** Writes what the clock has done, and wakes who waits for it. */
  sweep(): Promise<unknown>
}

type ReviewField =
  | 'intentHash'
  | 'confirmation'
  | 'status'
  | 'execution'
  | 'denial'
  | 'useUntil'
  | 'quorumOutOfReach'
  | 'sameAction'

/** `Counter` for a verifier key of the project. */
export interface GateCounter {
  verify(request: VerifyRequest): Promise<PermitClaims>
  redeem(request: RedeemRequest): Promise<{ readonly replayed: boolean }>
  logExecution(report: ExecutionReport): Promise<unknown>
}

/** `Desk`, as far as the contract needs it. */
export interface GateDesk {
  read(person: Principal, id: IntentId): Promise<Pick<Review, ReviewField>>
  vote(person: Principal, id: IntentId, vote: Vote): Promise<unknown>
  withdraw(person: Principal, id: IntentId, reason: string): Promise<unknown>
  reconcile(person: Principal, id: IntentId, finding: Finding): Promise<unknown>
  liftDenial(person: Principal, id: IntentId): Promise<unknown>
}
