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
  'the agent asks, a person decides to %s, and the agent answers',
  async (verdict, answer, execution) => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'silentauth-example-'))
    vi.stubEnv('SILENTAUTH_DATA', dataDir)
    vi.stubEnv('OPENAI_API_KEY', '')
    const answered = vi.spyOn(console, 'log').mockImplementation(() => {})
    const reported = vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
    try {
      await using gate = await startServer({ dataDir, port: 0 })
      const approver = await signIn(await gate.signInLink(gate.owner.id))
      const intents = async () => (await gate.store.intents({ projectId: gate.projectId, limit: 10 })).items

      const ran = import('./refund.ts')
      const waiting = vi.waitUntil(async () => (await intents())[0], { timeout: 45_000 })
      const asked = await Promise.race([waiting, ran.then(() => expect.unreachable('the agent did not wait'))])
      await approver.decide(asked.declaration.id, verdict)
      await ran

      expect(answered.mock.lastCall?.[0]).toMatch(answer)
      expect((await intents()).map((state) => state.execution.state)).toEqual([execution])
      expect(reported.mock.calls.flat().join('')).toContain(`/inbox/${asked.declaration.id}`)
    } finally {
      await rm(dataDir, { recursive: true, force: true })
    }
  },
  60_000,
)
