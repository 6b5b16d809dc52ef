/**
 * A gate over a log that lives: a project with one key, an agent and approvers, and what they do to one intent.
 *
 * @module
 */
import {
  generateSigningKey,
  type HeldCheckpoint,
  heldInMemory,
  type Intent,
  type IntentDraft,
  type LocalGate,
  localGate,
  logName,
  type NoteSigner,
  newId,
  noteSigner,
  type Policy,
  type Principal,
  type PrivateJwk,
  type ProjectId,
  privateKeySigner,
  randomToken,
  type Sequencer,
  type SequencerOptions,
  type Store,
  sequencer,
} from '@silentauth/core'
import type { LogStore, LogStores } from './log-stores.js'

export const PROJECT: ProjectId = 'prj_living'
export const ISSUER = 'urn:silentauth:living'
export const ANN: Principal = { type: 'person', id: 'usr_ann', projectId: PROJECT, via: 'session' }
/** Only of an `ownedGate`. */
export const OWNER: Principal = { ...ANN, id: 'usr_owner' }

/** Lets every call of `action` pass, whatever its params. */
export function passing(action: string, changes: Partial<Policy> = {}): Policy {
  return {
    id: 'pol_passing',
    version: 1,
    createdAt: 0,
    name: 'passing',
    enabled: true,
    mode: 'enforce',
    priority: 1,
    match: { actionPattern: action },
    decision: 'auto_approve',
    anyParams: true,
    ...changes,
  } as unknown as Policy
}

export interface LivingKeys {
  readonly permit: PrivateJwk
  readonly log: NoteSigner
  readonly resultKey: Uint8Array
}

export interface LivingGate extends AsyncDisposable {
  readonly gate: LocalGate
  readonly log: Sequencer
  readonly held: HeldCheckpoint
  readonly agent: ReturnType<LocalGate['gateFor']>
  readonly verifier: { readonly type: 'key'; readonly id: 'key_verifier'; readonly projectId: ProjectId }
  /** Declared by the agent and approved by ann. */
  approved(draft?: Partial<IntentDraft>): Promise<Intent>
}

export async function livingKeys(): Promise<LivingKeys> {
  const log = await privateKeySigner(await generateSigningKey('EdDSA'))
  return {
    permit: await generateSigningKey('EdDSA'),
    log: await noteSigner(logName(ISSUER, PROJECT), log),
    resultKey: crypto.getRandomValues(new Uint8Array(32)),
  }
}

/** Writes the project, unless it is there. */
export async function livingGate(
  store: Store,
  keys: LivingKeys,
  options: Partial<SequencerOptions> & { readonly policies?: readonly Policy[]; readonly without?: 'log' } = {},
): Promise<LivingGate> {
  const { held = heldInMemory(), policies = [], without, ...given } = options
  const log = await sequencer({
    store,
    projectId: PROJECT,
    issuer: ISSUER,
    signer: keys.log,
    intervalMs: 0,
    held,
    ...given,
  })
  if (!(await store.project(PROJECT))) await populate(store, policies)
  const gate = localGate({
    store,
    signer: await privateKeySigner(keys.permit),
    projectId: PROJECT,
    issuer: ISSUER,
    publicUrl: 'http://127.0.0.1:4747',
    sweepMs: 0,
    pollMs: 0,
    resultKey: keys.resultKey,
    log: without === 'log' ? undefined : log,
  })
  const agent = gate.gateFor({ type: 'key', id: 'key_agent', projectId: PROJECT })
  return {
    gate,
    log,
    held,
    agent,
    verifier: { type: 'key', id: 'key_verifier', projectId: PROJECT },
    async approved(draft = {}) {
      const { id } = await agent.declare(aDraft(draft))
      const { view, intentHash } = await gate.desk.read(ANN, id)
      await gate.desk.vote(ANN, id, { verdict: 'approve', intentHash, confirm: confirmOf(view) })
      return agent.read(id)
    },
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]()
      await log[Symbol.asyncDispose]()
    },
  }
}

/** Over a store of its own, with an owner, who may erase. */
export async function ownedGate(stores: LogStores, kind: LogStore, keys: LivingKeys) {
  const store = await (await stores.make(kind)).open()
  const living = await livingGate(store, keys)
  await store.transaction((tx) =>
    tx.putPerson({ ...aPerson, id: OWNER.id, email: 'owner@example.com', roles: ['owner'] }),
  )
  return {
    store,
    living,
    async [Symbol.asyncDispose]() {
      await living[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

export function aDraft(draft: Partial<IntentDraft> = {}): IntentDraft {
  return { action: 'issue_refund', params: { amount: 250, order: newId('ord') }, delivery: 'claim', ...draft }
}

export function anAttempt(): { readonly executionId: string; readonly attemptId: string } {
  return { executionId: 'execution-1', attemptId: randomToken() }
}

function confirmOf(view: { readonly action: string; readonly params_digest: string }): string {
  return `${view.action} ${view.params_digest.slice(-4)}`
}

const aPerson = { projectId: PROJECT, groups: [], linked: [], status: 'active' } as const

async function populate(store: Store, policies: readonly Policy[]): Promise<void> {
  const aKey = (id: 'key_agent' | 'key_verifier', kind: 'agent' | 'verifier') => ({
    id,
    lineage: id,
    projectId: PROJECT,
    kind,
    name: kind,
    agents: [],
    environment: undefined,
    createdBy: 'system:setup' as const,
    status: 'active' as const,
    secretHash: randomToken(32),
    createdAt: 0,
  })
  await store.transaction(async (tx) => {
    await tx.putProject({
      id: PROJECT,
      name: 'living',
      timezone: 'UTC',
      actionTiers: {},
      requireRegisteredAgents: false,
      approverLabels: 'email',
    })
    await tx.putKey(aKey('key_agent', 'agent'))
    await tx.putKey(aKey('key_verifier', 'verifier'))
    await tx.putPerson({ ...aPerson, id: ANN.id, email: 'ann@example.com', roles: ['approver'] })
    await tx.putAgent({
      id: 'agt_one',
      projectId: PROJECT,
      name: 'one',
      fingerprint: 'one',
      status: 'active',
      owner: undefined,
      riskSensitivity: undefined,
      enforce: false,
      lastSeenAt: undefined,
    })
    await tx.putPolicies(PROJECT, policies)
  })
}
