import { expect, it, vi } from 'vitest'
import { startedExample } from '../../test/support/started-example.ts'

it.each([
  ['approve', /^Done/, 'succeeded'],
  ['deny', /^I could not issue the refund.*denied/, 'none'],
] as const)(
  'the agent asks, a person decides to %s, and the agent answers',
  async (verdict, answer, execution) => {
    await using example = await startedExample(import.meta.dirname)
    const ran = example.run()
    const waiting = vi.waitUntil(async () => (await example.intents())[0], { timeout: 90_000 })
    const asked = await Promise.race([waiting, ran.then(({ stderr }) => expect.unreachable(stderr))])
    await example.decide(asked.declaration.id, verdict)
    const { stdout, stderr } = await ran
    expect(stdout).toMatch(answer)
    expect(stderr).toContain(`/inbox/${asked.declaration.id}`)
    expect((await example.intents()).map((state) => state.execution.state)).toEqual([execution])
  },
  120_000,
)
