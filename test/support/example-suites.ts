/**
 * What every example that pays must show, whichever framework it is written for: held while it waits, or suspended between two runs.
 *
 * @module
 */
import { expect, it, vi } from 'vitest'
import { startedExample } from './started-example.ts'

const VERDICTS = [
  ['approve', /^Done/, 'succeeded'],
  ['deny', /^I could not issue the refund.*denied/, 'none'],
] as const
const LONGEST_MS = 120_000

/** @param command that the example's user types, as words */
export function describeHeldExample(folder: string, ...command: string[]): void {
  it.each(VERDICTS)(
    'the agent asks, a person decides to %s, and the agent answers',
    async (verdict, answer, execution) => {
      await using example = await startedExample(folder)
      const ran = example.run(...command)
      const waiting = vi.waitUntil(async () => (await example.intents())[0], { timeout: 90_000 })
      const asked = await Promise.race([waiting, ran.then(({ stderr }) => expect.unreachable(stderr))])
      await example.decide(asked.declaration.id, verdict)
      const { stdout, stderr } = await ran
      expect(stdout).toMatch(answer)
      expect(stderr).toContain(`/inbox/${asked.declaration.id}`)
      expect(await example.executions()).toEqual([execution])
    },
    LONGEST_MS,
  )
}

/** @param command that the example's user types, as words */
export function describeSuspendedExample(folder: string, ...command: string[]): void {
  it.each(VERDICTS)(
    'the agent asks and ends, a person decides to %s, and the next run goes on',
    async (verdict, answer, execution) => {
      await using example = await startedExample(folder)
      const first = await example.run(...command)
      const [asked] = await example.intents()
      if (asked === undefined) return expect.unreachable(first.stderr)
      expect(first.stdout).toContain(`/inbox/${asked.declaration.id}`)
      // Before the decision it waits on.
      expect((await example.run(...command)).stdout).toBe(first.stdout)
      await example.decide(asked.declaration.id, verdict)
      expect((await example.run(...command)).stdout).toMatch(answer)
      expect(await example.executions()).toEqual([execution])
    },
    LONGEST_MS,
  )
}
