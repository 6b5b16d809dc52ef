/**
 * A scene is what the lifecycle is tested with: a project with its people, policies, key and agent, and every command on
 * an intent of it as one call. Nothing is stored; a scene `with` other facts judges the same intent anew.
 *
 * @module
 */
import { declarationOf, NO_CHAIN } from '../src/declare.js'
import { type KeyId, newId, type PermitId, randomToken, type UserId } from '../src/id.js'
import type { IntentDraft } from '../src/intent.js'
import type { EpochMs, JsonObject, JsonPointer } from '../src/json.js'
import { type Facts, judge } from '../src/judgement.js'
import { type Command, transition } from '../src/lifecycle.js'
import type { Finding } from '../src/oversight.js'
import { snapshot } from '../src/params.js'
import type { Policy } from '../src/policy.js'
import { parsePolicy } from '../src/policy-form.js'
import { policySet } from '../src/policy-set.js'
import type { Agent, Person, Principal, Project, ProjectKey } from '../src/registry.js'
import type { ReportedOutcome } from '../src/report.js'
import type { Attempt, State, Transition } from '../src/state.js'
import type { Vote } from '../src/vote.js'

/** A Monday at noon. */
export const NOW = Date.UTC(2026, 0, 5, 12)
export const SECOND = 1000
export const HOUR = 3_600_000

const PROJECT: Project = {
  id: 'prj_1',
  name: 'shop',
  timezone: 'UTC',
  actionTiers: {},
  requireRegisteredAgents: false,
  approverLabels: 'email',
}

export interface Setting {
  readonly people?: readonly Person[]
  readonly policies?: readonly JsonObject[]
  readonly agent?: Agent | undefined
  readonly key?: ProjectKey | undefined
  readonly project?: Partial<Project>
}

export interface Scene {
  readonly facts: Facts
  with(changes: Setting): Scene
  declare(draft?: Partial<IntentDraft>, now?: EpochMs): State
  /** Declared and approved by ann. */
  approved(draft?: Partial<IntentDraft>, now?: EpochMs): State
  /** Approved and claimed. */
  started(draft?: Partial<IntentDraft>, attempt?: Attempt, now?: EpochMs): State
  vote(state: State, by: UserId, vote?: Partial<Vote> & { via?: Principal['via'] }, now?: EpochMs): Transition
  reveal(state: State, by: UserId, pointer: JsonPointer): Transition
  claim(state: State, attempt?: Attempt, now?: EpochMs, sequencing?: 'immediate' | 'deferred'): Transition
  report(state: State, attempt: Attempt, status: ReportedOutcome['status'], now?: EpochMs): Transition
  redeem(state: State, details?: Partial<Extract<Command, { type: 'redeem' }>>, now?: EpochMs): Transition
  log(state: State, by: 'agent' | 'verifier', status: 'succeeded' | 'failed', now?: EpochMs): Transition
  cancel(state: State, now?: EpochMs): Transition
  withdraw(state: State, by: UserId, now?: EpochMs): Transition
  reconcile(state: State, by: UserId, finding: Finding['finding'], now?: EpochMs): Transition
  tick(state: State, now: EpochMs): Transition
  /** Any other command. */
  run(state: State, command: Command, now?: EpochMs): Transition
}

/** Ann, bob and cleo are approvers, dan is an admin, eve owns the agent, fay made the key, gus is nobody in particular. */
export const PEOPLE: readonly Person[] = [
  aPerson('ann'),
  aPerson('bob'),
  aPerson('cleo'),
  aPerson('dan', { roles: ['admin'] }),
  aPerson('eve'),
  aPerson('fay'),
  aPerson('gus', { roles: ['developer'] }),
]
export const AGENT: Agent = {
  id: 'agt_1',
  projectId: PROJECT.id,
  name: 'refunds',
  fingerprint: 'refund-agent',
  status: 'active',
  owner: 'usr_eve',
  riskSensitivity: undefined,
  enforce: false,
  lastSeenAt: undefined,
}
export const KEY: ProjectKey = {
  id: 'key_1',
  lineage: 'key_1',
  projectId: PROJECT.id,
  kind: 'agent',
  name: 'refunds',
  agents: [AGENT.id],
  environment: undefined,
  createdBy: 'usr_fay',
  status: 'active',
  secretHash: '',
  createdAt: 0,
}

export function aPerson(name: string, details: Partial<Person> = {}): Person {
  return {
    id: `usr_${name}`,
    projectId: PROJECT.id,
    email: `${name}@example.com`,
    roles: ['approver'],
    groups: [],
    linked: [],
    status: 'active',
    ...details,
  }
}

/** The people of the scene, one of them changed. */
export function peopleWith(name: string, details: Partial<Person>): readonly Person[] {
  return [...PEOPLE.filter(({ id }) => id !== `usr_${name}`), aPerson(name, details)]
}

export function anAttempt(details: Partial<Attempt> = {}): Attempt {
  return { executionId: 'execution-1', attemptId: randomToken(), ...details }
}

export function aScene(setting: Setting = {}): Scene {
  const facts = factsOf(setting)
  const principal = (id: UserId, via: Principal['via'] = 'session'): Principal => ({
    type: 'person',
    id,
    projectId: PROJECT.id,
    via,
  })
  const judgement = (state: State, now: EpochMs) => judge(state.declaration, facts, now)

  const scene: Scene = {
    facts,
    with: (changes) => aScene({ ...setting, ...changes }),
    declare(draft = {}, now = NOW) {
      const whole: IntentDraft = {
        action: 'issue_refund',
        params: { customer_id: 'cust_4821', amount: 250 },
        source: AGENT.fingerprint,
        ...draft,
      }
      const { declaration, evaluation } = declarationOf({
        draft: whole,
        params: snapshot(whole.params),
        key: facts.key ?? KEY,
        facts,
        chain: NO_CHAIN,
        earlierOfAction: 0,
        unsettledTwins: 0,
        now,
      })
      const resolution = {
        by: 'policy',
        code: evaluation.code,
        comment: undefined,
        earlierIntent: undefined,
      } as const
      return transition(undefined, { type: 'declare', declaration, resolution, permitId: permitId() }, now).state
    },
    approved(draft, now = NOW) {
      const state = scene.declare(draft, now)
      return state.status === 'approved' ? state : scene.vote(state, 'usr_ann', {}, now).state
    },
    started: (draft, attempt = anAttempt(), now = NOW) => scene.claim(scene.approved(draft, now), attempt, now).state,
    vote(state, by, { via, ...vote } = {}, now = NOW) {
      const { bench, ttlSeconds } = judgement(state, now)
      return transition(
        state,
        {
          type: 'vote',
          by: principal(by, via),
          vote: { verdict: 'approve', intentHash: state.declaration.intentHash, ...vote },
          bench,
          permitId: permitId(),
          ttlSeconds,
          ...(vote.params && { successor: newId('int') }),
        },
        now,
      )
    },
    reveal: (state, by, pointer) =>
      transition(state, { type: 'reveal', by: principal(by), pointer, bench: judgement(state, NOW).bench }, NOW),
    claim: (state, attempt = anAttempt(), now = NOW, sequencing = 'immediate') =>
      transition(
        state,
        { type: 'claim', attempt, judgement: judgement(state, now), permitId: permitId(), sequencing },
        now,
      ),
    report: (state, attempt, status, now = NOW) =>
      transition(state, { type: 'report', attempt, outcome: { status } }, now),
    redeem: (state, details = {}, now = NOW) =>
      transition(
        state,
        {
          type: 'redeem',
          redemptionId: 'redemption-1',
          permitId: state.permits.at(-1)?.id ?? 'pmt_none',
          by: VERIFIER,
          idempotent: false,
          bench: judgement(state, now).bench,
          ...details,
        },
        now,
      ),
    log: (state, by, status, now = NOW) => transition(state, { type: 'log_execution', by, status }, now),
    cancel: (state, now = NOW) => transition(state, { type: 'cancel', reason: 'no need' }, now),
    withdraw: (state, by, now = NOW) =>
      transition(
        state,
        { type: 'withdraw', by: principal(by), reason: 'a mistake', bench: judgement(state, now).bench },
        now,
      ),
    reconcile: (state, by, finding, now = NOW) =>
      transition(
        state,
        { type: 'reconcile', by: principal(by), finding: { finding }, bench: judgement(state, now).bench },
        now,
      ),
    tick: (state, now) => transition(state, { type: 'tick' }, now),
    run: (state, command, now = NOW) => transition(state, command, now),
  }
  return scene
}

const VERIFIER: KeyId = 'key_verifier'

function permitId(): PermitId {
  return newId('pmt')
}

function factsOf({ people = PEOPLE, policies = [], project, ...registered }: Setting): Facts {
  const groups = new Set(people.flatMap((person) => person.groups))
  return {
    project: { ...PROJECT, ...project },
    directory: { people, groups: [...groups] },
    key: 'key' in registered ? registered.key : KEY,
    agent: 'agent' in registered ? registered.agent : AGENT,
    policies: policySet(policies.map((policy, index) => aPolicy(policy, index))),
  }
}

function aPolicy(policy: JsonObject, index: number): Policy {
  const definition = parsePolicy({ name: `policy ${index}`, priority: 1000 - index, match: {}, ...policy })
  return { ...definition, id: `pol_${index}`, version: 1, createdAt: index }
}
