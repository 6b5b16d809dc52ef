import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { generateSigningKey, type Intent, privateKeySigner } from '@silentauth/core'
import { fakeClock, principalOf, testGate } from '@silentauth/core/testing'
import { sqliteStore } from '@silentauth/store/sqlite'
import { describe, expect, it } from 'vitest'
import type { AgentProcess, AgentReport, KillPoint } from './agent.worker.ts'

const WORKER = path.join(import.meta.dirname, 'agent.worker.ts')
const SOURCES = path.join(import.meta.dirname, '../../store/test/sources.mjs')
const TIMEOUT_MS = 120_000
/** Past the deadline of an execution, and within the window of the approval. */
const PAST_THE_DEADLINE_MS = 20 * 60 * 1000

/** A child reads what this process reads: the sources, in tests, else the built packages. */
function loaders(): readonly string[] {
  const sources = import.meta.resolve('@silentauth/core').endsWith('.ts')
  return sources ? ['--conditions=@silentauth/source', '--import', SOURCES] : []
}

/** One gate and one chat, both in files of one folder, and agents that come and go. */
async function aFolder() {
  const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-processes-'))
  const clock = fakeClock()
  const signingKey = await generateSigningKey('EdDSA')
  const store = await sqliteStore({ file: path.join(folder, 'gate.db'), now: clock.now })
  const test = await testGate({ store, clock, signer: await privateKeySigner(signingKey) })

  return {
    passTime: () => clock.advance(PAST_THE_DEADLINE_MS),
    /** @returns undefined when it was killed */
    async run(
      commands: AgentProcess['commands'],
      options: Pick<AgentProcess, 'killAt' | 'idempotent'> = {},
    ): Promise<AgentReport | undefined> {
      const aheadMs = clock.now() - Date.now()
      const given: AgentProcess = {
        folder,
        projectId: test.project.id,
        key: principalOf(test.key),
        signingKey,
        aheadMs,
        commands,
        ...options,
      }
      const child = spawn(process.execPath, [...loaders(), WORKER, JSON.stringify(given)], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, NODE_COMPILE_CACHE: path.join(tmpdir(), 'node-compile-cache') },
        timeout: TIMEOUT_MS,
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

describe('a run that waits', { timeout: TIMEOUT_MS }, () => {
  it('outlives its processes: started in one, answered by a client in another, run once in a third, and not again', async () => {
    await using folder = await aFolder()
    const started = await folder.run(['start'])
    const [intent] = await folder.intents()
    expect(started).toMatchObject({ waiting: [intent?.id], toolTexts: [] })
    expect(await folder.run(['wake', 'resume'])).toEqual(started)
    expect([await folder.states(), folder.effects()]).toEqual([['pending none'], []])

    await folder.approve()
    const ended = { waiting: [], toolTexts: ['refunded 250'], answer: 'All done.' }
    expect(await folder.run(['resume'])).toEqual(ended)
    expect(await folder.run(['resume', 'wake'])).toEqual(ended)
    expect([await folder.states(), folder.effects()]).toEqual([['approved succeeded'], [`${intent?.id} 250`]])
  })

  it('is run once by processes that resume it at the same moment', async () => {
    await using folder = await aFolder()
    await folder.run(['start'])
    await folder.approve()
    await Promise.all([folder.run(['resume']), folder.run(['resume'])])
    expect([await folder.states(), folder.effects().length]).toEqual([['approved succeeded'], 1])
  })
})

describe('kill -9', { timeout: TIMEOUT_MS }, () => {
  it.each<KillPoint>(['before the declare', 'after the declare', 'while pending'])(
    '%s: the call is asked for once, and runs once',
    async (killAt) => {
      await using folder = await aFolder()
      expect(await folder.run(['start'], { killAt })).toBeUndefined()
      await folder.run(['continue', 'wake'])
      expect([await folder.states(), folder.effects()]).toEqual([['pending none'], []])
      await folder.approve()
      expect(await folder.run(['resume'])).toMatchObject({ toolTexts: ['refunded 250'] })
      const [intent] = await folder.intents()
      expect([await folder.states(), folder.effects()]).toEqual([['approved succeeded'], [`${intent?.id} 250`]])
    },
  )

  it('after the decision, before the claim: it runs once', async () => {
    await using folder = await aFolder()
    await folder.run(['start'])
    await folder.approve()
    expect(await folder.run(['resume'], { killAt: 'before the claim' })).toBeUndefined()
    expect(await folder.run(['resume', 'resume'])).toMatchObject({ toolTexts: ['refunded 250'] })
    expect([await folder.states(), folder.effects().length]).toEqual([['approved succeeded'], 1])
  })

  it.each<[KillPoint, number]>([
    ['after the claim', 0],
    ['in the tool, before its effect', 0],
    ['in the tool, after its effect', 1],
    ['before the report', 1],
  ])('%s: nobody runs it again, and a person is to look', async (killAt, effects) => {
    await using folder = await aFolder()
    await folder.run(['start'])
    await folder.approve()
    expect(await folder.run(['resume'], { killAt })).toBeUndefined()
    // Before the deadline the other process may still be at it.
    expect((await folder.run(['resume', 'wake']))?.waiting).toHaveLength(1)
    expect([await folder.states(), folder.effects().length]).toEqual([['approved started'], effects])

    folder.passTime()
    const ended = await folder.run(['resume', 'resume'])
    expect(ended).toMatchObject({ waiting: [], toolTexts: [expect.stringMatching(/^It may have run/)] })
    expect([await folder.states(), folder.effects().length]).toEqual([['approved unknown'], effects])
  })

  it('after the report: the model is told that it ran', async () => {
    await using folder = await aFolder()
    await folder.run(['start'])
    await folder.approve()
    expect(await folder.run(['resume'], { killAt: 'after the report' })).toBeUndefined()
    const ended = await folder.run(['resume', 'resume'])
    expect(ended).toMatchObject({ waiting: [], toolTexts: [expect.stringMatching(/was executed before/)] })
    expect([await folder.states(), folder.effects().length]).toEqual([['approved succeeded'], 1])
  })

  it('in an idempotent tool, after its effect: it runs again with the same intent id as its key', async () => {
    await using folder = await aFolder()
    await folder.run(['start'], { idempotent: true })
    await folder.approve()
    const killAt = 'in the tool, after its effect'
    expect(await folder.run(['resume'], { idempotent: true, killAt })).toBeUndefined()
    folder.passTime()
    expect(await folder.run(['resume'], { idempotent: true })).toMatchObject({ toolTexts: ['refunded 250'] })
    const [intent] = await folder.intents()
    expect([await folder.states(), folder.effects()]).toEqual([
      ['approved succeeded'],
      [`${intent?.id} 250`, `${intent?.id} 250`],
    ])
  })
})
