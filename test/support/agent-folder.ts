/**
 * The folder that an agent lives in: one gate and one run in files, and processes of the agent that come and go.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { generateSigningKey, type Intent, privateKeySigner, randomToken } from '@silentauth/core'
import { fakeClock, principalOf, testGate } from '@silentauth/core/testing'
import { sqliteStore } from '@silentauth/store/sqlite'
import type { AgentCommand, AgentProcessGiven, AgentProcessOptions, AgentReport } from './agent-process.ts'
import { loaders } from './loaders.ts'

/** Of one process, against hanging. */
const PROCESS_MS = 120_000
/** Past the deadline of an execution, and within the window of the approval. */
const PAST_THE_DEADLINE_MS = 20 * 60 * 1000

export type AgentFolder = Awaited<ReturnType<typeof agentFolder>>

/** A program that uses `agentProcess()`: its file, and what it is told beside. */
export type Worker = readonly [file: string, ...args: string[]]

export async function agentFolder([worker, ...args]: Worker) {
  const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-processes-'))
  const clock = fakeClock()
  const signingKey = await generateSigningKey('EdDSA')
  const secret = randomToken(32)
  const store = await sqliteStore({ file: path.join(folder, 'gate.db'), now: clock.now })
  const test = await testGate({ store, clock, signer: await privateKeySigner(signingKey) })

  return {
    passTime: () => clock.advance(PAST_THE_DEADLINE_MS),
    /** @returns undefined when it was killed */
    async run(commands: readonly AgentCommand[], options: AgentProcessOptions = {}): Promise<AgentReport | undefined> {
      const aheadMs = clock.now() - Date.now()
      const key = principalOf(test.key)
      const projectId = test.project.id
      const given: AgentProcessGiven = { folder, projectId, key, signingKey, secret, aheadMs, commands, ...options }
      const child = spawn(process.execPath, [...loaders(), worker, JSON.stringify(given), ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NODE_COMPILE_CACHE: path.join(tmpdir(), 'node-compile-cache') },
        timeout: PROCESS_MS,
        killSignal: 'SIGTERM',
      })
      const ended = new Promise<string | number | null>((resolve) => {
        child.once('close', (code, signal) => resolve(signal ?? code))
      })
      const [out, err, end] = await Promise.all([text(child.stdout), text(child.stderr), ended])
      if (end === 'SIGKILL') return undefined
      if (end !== 0) throw new Error(`an agent ended with ${end}: ${err}`)
      return JSON.parse(out) as AgentReport
    },
    async intents(): Promise<readonly Intent[]> {
      const { items } = await store.intents({ projectId: test.project.id, limit: 100 })
      return Promise.all(items.map(({ declaration }) => test.gate.read(declaration.id)))
    },
    async states(): Promise<string[]> {
      return (await this.intents()).map(({ status, execution }) => `${status} ${execution.state}`)
    },
    /** Until a process has asked. */
    async asked(): Promise<void> {
      const giveUp = performance.now() + PROCESS_MS
      while ((await this.intents()).length === 0) {
        if (performance.now() > giveUp) throw new Error('no process has asked for anything')
        await delay(25)
      }
    },
    async approve(): Promise<void> {
      for (const { id, status } of await this.intents()) {
        if (status !== 'pending') continue
        const { intentHash } = await test.local.desk.read(test.approver, id)
        await test.local.desk.vote(test.approver, id, { verdict: 'approve', intentHash })
      }
    },
    /** `<intent that its permit is of> <amount>`, one per execution. */
    effects: (): string[] => {
      const file = path.join(folder, 'effects')
      return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
    },
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
