/**
 * A cluster: nodes of one gate on one database, each in a process of its own, with an agent's key, a verifier's key and people who
 * signed in over HTTP.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import {
  generateSigningKey,
  type IntentId,
  type JsonObject,
  newId,
  type Person,
  type Policy,
  type Project,
  type ProjectId,
  type ProjectKey,
  parsePolicy,
  type Store,
} from '@silentauth/core'
import { Agent, request } from 'undici'
import { z } from 'zod'
import { type DatabaseTimeouts, type DatabaseUrl, openStore, outboxOf } from './database.ts'
import { type History, historyOf } from './history.ts'
import { brokenTrees, settled } from './log.ts'
import type { NodeOptions } from './node.worker.ts'

export interface ClusterOptions {
  readonly database: DatabaseUrl
  /** @default 2 */
  readonly nodes?: number
  /** Who may vote. @default 1 */
  readonly people?: number
  readonly policies: readonly JsonObject[]
  /** Of every node. */
  readonly timeouts?: DatabaseTimeouts
  /** One node more, the last one, that differs from the others. */
  readonly apart?: Pick<NodeOptions, 'database' | 'host' | 'stallMs'> & {
    /** What it is started by. */
    readonly command: readonly string[]
  }
  /** @default false */
  readonly split?: boolean
}

export interface Cluster extends AsyncDisposable {
  readonly projectId: ProjectId
  readonly nodes: readonly ClusterNode[]
  readonly store: Store
  readonly agent: Headers
  readonly verifier: Headers
  /** Headers of people who are signed in. */
  readonly people: readonly Headers[]
  /** @param node index of the one that is asked; more than there are go round */
  ask(node: number, method: string, at: string, headers: Headers, body?: JsonObject): Promise<Answer>
  history(): Promise<History>
  /** Checkpoints that nodes hold and are not on the chain, and a signed tree that is not the one over the leaves. */
  brokenTrees(): Promise<number>
}

type Headers = Readonly<Record<string, string>>

export interface ClusterNode {
  /** Another one after each restart. */
  readonly url: string
  readonly pid: number
  /** By SIGKILL. */
  kill(): Promise<void>
  restart(): Promise<void>
}

export interface Answer {
  readonly status: number
  /** `OK`, or the code of the refusal. */
  readonly code: string
  /** Whatever `data` is. */
  readonly data: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** Of a site that no node listens on, so that each has the same cookie. */
const PUBLIC_URL = 'http://127.0.0.1:4747'
const START_MS = 60_000
const CONNECTIONS = 250

export async function cluster(options: ClusterOptions): Promise<Cluster> {
  const { database, policies, split = false } = options
  await using opening = new AsyncDisposableStack()
  const store = opening.use(await openStore(database))
  const keys = { agent: `sk_${secret()}`, verifier: `sk_${secret()}` }
  const { projectId, tokens } = await registered(store, keys, policies, options.people ?? 1)
  const heldFolder = await mkdtemp(path.join(tmpdir(), 'silentauth-held-'))
  opening.defer(() => rm(heldFolder, { recursive: true, force: true }))
  const heldFiles = Array.from({ length: options.nodes ?? 2 }, (_, index) => path.join(heldFolder, `node-${index}`))
  const shared = {
    database,
    projectId,
    signingKey: await generateSigningKey('EdDSA'),
    logKey: await generateSigningKey('EdDSA'),
    publicUrl: PUBLIC_URL,
    timeouts: options.timeouts,
    split,
  }
  const log = { store, projectId, logKey: shared.logKey }
  const nodes: ClusterNode[] = []
  for (const heldFile of heldFiles) {
    const started = await startNode({ ...shared, heldFile })
    opening.defer(() => started.kill())
    nodes.push(started)
  }
  if (options.apart) {
    const { command, ...apart } = options.apart
    const heldFile = path.join(heldFolder, 'apart')
    heldFiles.push(heldFile)
    const started = await startNode({ ...shared, ...apart, heldFile }, command)
    opening.defer(() => started.kill())
    nodes.push(started)
  }
  // Longer than any lock is waited for: who is cut off hears so from the gate.
  const timeouts = { headersTimeout: 120_000, bodyTimeout: 120_000 }
  const dispatcher = new Agent({ connections: CONNECTIONS, ...timeouts })
  opening.defer(() => dispatcher.destroy())

  async function ask(index: number, method: string, at: string, headers: Headers, body?: JsonObject): Promise<Answer> {
    const { url } = nodes[index % nodes.length] as ClusterNode
    const answer = await request(`${url}${at}`, {
      dispatcher,
      method: method as 'GET',
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    const { data, error } = answerForm.parse(await answer.body.json())
    return { status: answer.statusCode, code: error?.code ?? 'OK', data: data ?? {}, headers: answer.headers }
  }

  async function history(): Promise<History> {
    await settled(log)
    return historyOf(store, projectId, await outboxOf(database, projectId))
  }

  const people: Headers[] = []
  for (const token of tokens) {
    const { data, headers, code } = await ask(0, 'POST', '/api/session', {}, { token })
    if (code !== 'OK') throw new Error(`nobody could sign in: ${code}`)
    people.push({ cookie: String(headers['set-cookie']).split(';')[0] ?? '', 'x-sa-session': String(data.session) })
  }

  const opened = opening.move()
  return {
    projectId,
    nodes,
    store,
    agent: { authorization: `Bearer ${keys.agent}` },
    verifier: { authorization: `Bearer ${keys.verifier}` },
    people,
    ask,
    history,
    brokenTrees: async () => brokenTrees(log, (await history()).leaves, heldFiles),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

const answerForm = z.object({
  data: z.record(z.string(), z.unknown()).nullable(),
  error: z.object({ code: z.string() }).nullable(),
})

/** What a node needs to find in the database. */
async function registered(
  store: Store,
  keys: { readonly agent: string; readonly verifier: string },
  policies: readonly JsonObject[],
  count: number,
): Promise<{ projectId: ProjectId; tokens: readonly string[] }> {
  const projectId = newId('prj')
  const now = await store.now()
  const project: Project = {
    id: projectId,
    name: 'faults',
    timezone: 'UTC',
    actionTiers: {},
    requireRegisteredAgents: false,
    approverLabels: 'email',
  }
  const people = Array.from({ length: count }, (_, index): Person => {
    const id = newId('usr')
    const email = `person-${index}@example.com`
    return { id, projectId, email, roles: ['approver'], groups: [], linked: [], status: 'active' }
  })
  const tokens = people.map(() => secret())
  const stored = policies.map((policy, index): Policy => {
    const definition = parsePolicy({ name: `policy ${index}`, priority: 1000 - index, ...policy })
    return { ...definition, id: newId('pol'), version: 1, createdAt: now }
  })
  await store.transaction(async (tx) => {
    await tx.putProject(project)
    await tx.putKey(keyOf(projectId, 'agent', keys.agent, now))
    await tx.putKey(keyOf(projectId, 'verifier', keys.verifier, now))
    await tx.putPolicies(projectId, stored)
    for (const [index, person] of people.entries()) {
      await tx.putPerson(person)
      await tx.putSignInToken({
        tokenHash: hash(tokens[index] ?? ''),
        projectId,
        userId: person.id,
        via: 'session',
        expiresAt: now + 600_000,
      })
    }
  })
  return { projectId, tokens }
}

function keyOf(projectId: ProjectId, kind: ProjectKey['kind'], of: string, now: number): ProjectKey {
  const id = newId('key')
  return {
    id,
    lineage: id,
    projectId,
    kind,
    name: kind,
    agents: [],
    environment: undefined,
    createdBy: 'system:setup',
    status: 'active',
    secretHash: hash(of),
    createdAt: now,
  }
}

function secret(): string {
  return randomBytes(32).toString('base64url')
}

function hash(of: string): string {
  return createHash('sha256').update(of, 'utf8').digest('base64url')
}

async function startNode(options: NodeOptions, command: readonly string[] = []): Promise<ClusterNode> {
  let running = await spawnNode(options, command)
  return {
    get url() {
      return running.url
    },
    get pid() {
      return running.pid
    },
    kill: () => running.kill(),
    async restart() {
      await running.kill()
      running = await spawnNode(options, command)
    },
  }
}

async function spawnNode(
  options: NodeOptions,
  command: readonly string[],
): Promise<{ url: string; pid: number; kill(): Promise<void> }> {
  const [program, ...args] = [...command, process.execPath, ...loaders(), WORKER, JSON.stringify(options)]
  const child = spawn(program as string, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    // Nodes start by the hundred.
    env: { ...process.env, NODE_COMPILE_CACHE: path.join(tmpdir(), 'node-compile-cache') },
  })
  const exited = once(child, 'exit')
  const starting = AbortSignal.timeout(START_MS)
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve)
    child.once('exit', (code) => reject(new Error(`a node ended with ${code}`)))
    starting.addEventListener('abort', () => reject(new Error('a node did not start')))
  }).catch((error: unknown) => {
    child.kill('SIGKILL')
    throw error
  })
  const { url } = z.object({ url: z.string() }).parse(JSON.parse(line))
  return {
    url,
    pid: child.pid as number,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

const WORKER = path.join(import.meta.dirname, 'node.worker.ts')
const SOURCES = path.join(import.meta.dirname, '..', '..', 'packages', 'store', 'test', 'sources.mjs')

/** A child reads what this process reads: the sources, in tests, else the built packages. */
function loaders(): readonly string[] {
  const sources = import.meta.resolve('@silentauth/core').endsWith('.ts')
  return sources ? ['--conditions=@silentauth/source', '--import', SOURCES] : []
}

/** Declares one intent. @throws Error when the gate refuses it */
export async function declareOn(
  { ask, agent }: Pick<Cluster, 'ask' | 'agent'>,
  node: number,
  body: JsonObject = {},
): Promise<{ id: IntentId; intentHash: string; audience: string; paramsDigest: string }> {
  const { code, data } = await ask(node, 'POST', '/api/intents', agent, {
    action: 'issue_refund',
    source_type: 'ai_agent',
    parameters: { customer_id: 'cust_4821', amount: 250 },
    delivery: 'claim',
    ...body,
  })
  if (code !== 'OK') throw new Error(`declaring was refused: ${code}`)
  const { id, intent_hash: intentHash, audience, params_digest: paramsDigest } = declaredForm.parse(data)
  return { id: id as IntentId, intentHash, audience, paramsDigest }
}

const declaredForm = z.object({
  id: z.string(),
  intent_hash: z.string(),
  audience: z.string(),
  params_digest: z.string(),
})
