import { expect, it } from 'vitest'
import { startedExample } from '../../test/support/started-example.ts'

it.each([
  ['approve', /^Done/, 'succeeded'],
  ['deny', /^I could not issue the refund.*denied/, 'none'],
] as const)(
  'the agent asks and ends, a person decides to %s, and the next run goes on',
  async (verdict, answer, execution) => {
    await using example = await startedExample(import.meta.dirname)
    const first = await example.run('suspended.ts')
    const [asked] = await example.intents()
    expect(first.stdout).toContain(`/inbox/${asked?.declaration.id}`)
    // Before the decision it waits on.
    expect((await example.run('suspended.ts')).stdout).toBe(first.stdout)
    await example.decide(asked?.declaration.id ?? '', verdict)
    expect((await example.run('suspended.ts')).stdout).toMatch(answer)
    expect((await example.intents()).map((state) => state.execution.state)).toEqual([execution])
  },
  120_000,
)
