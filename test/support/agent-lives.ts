/**
 * What becomes of a run whose processes end or are killed, the same for every framework: one intent, at most one execution,
 * and nobody is told that something did not run which may have.
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { type AgentFolder, agentFolder, type Worker } from './agent-folder.ts'
import type { KillPoint } from './agent-process.ts'

const TIMEOUT_MS = 120_000

/** Where nobody knows any more whether the tool has run, and how often it had. */
const UNCERTAIN: readonly (readonly [KillPoint, effects: number])[] = [
  ['after the claim', 0],
  ['in the tool, before its effect', 0],
  ['in the tool, after its effect', 1],
  ['before the report', 1],
]

/** @param worker an agent that suspends */
export function describeSuspendedLives(name: string, worker: Worker): void {
  describe(`${name}: a run that waits`, { timeout: TIMEOUT_MS }, () => {
    it('outlives its processes: started in one, woken too early in another, run once in a third, and not again', async () => {
      await using folder = await agentFolder(worker)
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

    it.each(['wake', 'resume'] as const)('is run once by processes that %s it at the same moment', async (command) => {
      await using folder = await agentFolder(worker)
      await folder.run(['start'])
      await folder.approve()
      await Promise.all([folder.run([command]), folder.run([command])])
      expect([await folder.states(), folder.effects().length]).toEqual([['approved succeeded'], 1])
    })
  })

  describe(`${name}: kill -9`, { timeout: TIMEOUT_MS }, () => {
    it.each<KillPoint>(['before the declare', 'after the declare', 'while pending'])(
      '%s: the call is asked for once, and runs once',
      async (killAt) => {
        await using folder = await agentFolder(worker)
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
      await using folder = await agentFolder(worker)
      await folder.run(['start'])
      await folder.approve()
      expect(await folder.run(['resume'], { killAt: 'before the claim' })).toBeUndefined()
      expect(await folder.run(['resume', 'resume'])).toMatchObject({ toolTexts: ['refunded 250'] })
      expect([await folder.states(), folder.effects().length]).toEqual([['approved succeeded'], 1])
    })

    it.each(UNCERTAIN)('%s: nobody runs it again, and a person is to look', async (killAt, effects) => {
      await using folder = await agentFolder(worker)
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
      await using folder = await agentFolder(worker)
      await folder.run(['start'])
      await folder.approve()
      expect(await folder.run(['resume'], { killAt: 'after the report' })).toBeUndefined()
      const ended = await folder.run(['resume', 'resume'])
      expect(ended).toMatchObject({ waiting: [], toolTexts: [expect.stringMatching(/was executed before/)] })
      expect([await folder.states(), folder.effects().length]).toEqual([['approved succeeded'], 1])
    })

    it('in an idempotent tool, after its effect: it runs again with the same intent id as its key', async () => {
      await using folder = await agentFolder(worker)
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
}

/**
 * @param worker an agent whose process waits, and whose `start` is always of the same run
 * @param isKept the framework keeps the run: a start goes on where the one before was, and does nothing once the run has ended
 */
export function describeHeldLives(name: string, worker: Worker, { isKept = false } = {}): void {
  describe(`${name}: kill -9 of a process that waits`, { timeout: TIMEOUT_MS }, () => {
    it.each<KillPoint>(['before the declare', 'after the declare', 'while pending', 'before the claim'])(
      '%s: another process of the same run asks for nothing new, and runs it once',
      async (killAt) => {
        await using folder = await agentFolder(worker)
        const killed = folder.run(['start'], { killAt })
        if (killAt === 'before the claim') {
          await folder.asked()
          await folder.approve()
        }
        expect(await killed).toBeUndefined()
        expect(folder.effects()).toEqual([])

        const again = folder.run(['start'])
        await folder.asked()
        await folder.approve()
        expect(await again).toMatchObject({ toolTexts: ['refunded 250'], answer: 'All done.' })
        const [intent] = await folder.intents()
        expect([await folder.states(), folder.effects()]).toEqual([['approved succeeded'], [`${intent?.id} 250`]])
      },
    )

    it.each(UNCERTAIN)('%s: nobody runs it again, and a person is to look', async (killAt, effects) => {
      await using folder = await agentFolder(worker)
      const killed = folder.run(['start'], { killAt })
      await folder.asked()
      await folder.approve()
      expect(await killed).toBeUndefined()
      if (!isKept) await isStillRunning(folder, effects)

      folder.passTime()
      expect(await folder.run(['start'])).toMatchObject({ toolTexts: [expect.stringMatching(/^It may have run/)] })
      expect([await folder.states(), folder.effects().length]).toEqual([['approved unknown'], effects])
    })

    it.runIf(isKept)('in the tool: before its deadline nobody runs it either', async () => {
      await using folder = await agentFolder(worker)
      const killed = folder.run(['start'], { killAt: 'in the tool, after its effect' })
      await folder.asked()
      await folder.approve()
      expect(await killed).toBeUndefined()
      await isStillRunning(folder, 1)
    })

    it('after the report: the model is told that it ran', async () => {
      await using folder = await agentFolder(worker)
      const killed = folder.run(['start'], { killAt: 'after the report' })
      await folder.asked()
      await folder.approve()
      expect(await killed).toBeUndefined()
      expect(await folder.run(['start'])).toMatchObject({ toolTexts: [expect.stringMatching(/was executed before/)] })
      expect([await folder.states(), folder.effects().length]).toEqual([['approved succeeded'], 1])
    })

    it('in an idempotent tool, after its effect: it runs again with the same intent id as its key', async () => {
      await using folder = await agentFolder(worker)
      const killed = folder.run(['start'], { idempotent: true, killAt: 'in the tool, after its effect' })
      await folder.asked()
      await folder.approve()
      expect(await killed).toBeUndefined()
      folder.passTime()
      expect(await folder.run(['start'], { idempotent: true })).toMatchObject({ toolTexts: ['refunded 250'] })
      const [intent] = await folder.intents()
      expect([await folder.states(), folder.effects()]).toEqual([
        ['approved succeeded'],
        [`${intent?.id} 250`, `${intent?.id} 250`],
      ])
    })
  })

  it(`${name}: two processes that wait for one call run it once`, { timeout: TIMEOUT_MS }, async () => {
    await using folder = await agentFolder(worker)
    const first = folder.run(['start'])
    // Two messages of a user at once are two runs, where the framework keeps them.
    if (isKept) await folder.asked()
    const second = folder.run(['start'])
    await folder.asked()
    await folder.approve()
    await Promise.all([first, second])
    expect([await folder.states(), folder.effects().length]).toEqual([['approved succeeded'], 1])
  })
}

/** Before the deadline the other process may still be at it. */
async function isStillRunning(folder: AgentFolder, effects: number): Promise<void> {
  expect(await folder.run(['start'])).toMatchObject({ toolTexts: [expect.stringMatching(/another process executes/)] })
  expect([await folder.states(), folder.effects().length]).toEqual([['approved started'], effects])
}
