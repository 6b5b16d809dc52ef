import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startServer } from '@silentauth/server'
import { afterEach, expect, it, vi } from 'vitest'
import { signIn } from '../demo/approver.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  vi.resetModules()
})

it.each([
  ['approve', /^Done/, 'succeeded'],
  ['deny', /^I could not issue the refund.*denied/, 'none'],
] as const)(
  'the agent asks and ends, a person decides to %s, and the next run goes on',
  async (verdict, answer, execution) => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'silentauth-example-'))
    vi.stubEnv('SILENTAUTH_DATA', dataDir)
    vi.stubEnv('OPENAI_API_KEY', '')
    const said = vi.spyOn(console, 'log').mockImplementation(() => {})
    const run = async () => {
      vi.resetModules()
      await import('./refund.ts')
      return String(said.mock.lastCall?.[0])
    }
    try {
      await using gate = await startServer({ dataDir, port: 0 })
      const approver = await signIn(await gate.signInLink(gate.owner.id))
      const intents = async () => (await gate.store.intents({ projectId: gate.projectId, limit: 10 })).items

      const first = await run()
      const [asked] = await intents()
      expect(first).toContain(`/inbox/${asked?.declaration.id}`)
      // Before the decision it waits on.
      expect(await run()).toBe(first)
      await approver.decide(asked?.declaration.id ?? '', verdict)
      expect(await run()).toMatch(answer)
      expect((await intents()).map((state) => state.execution.state)).toEqual([execution])
    } finally {
      await rm(dataDir, { recursive: true, force: true })
    }
  },
  60_000,
)
