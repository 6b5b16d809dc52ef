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
  ['approve', 'deploying checkout 4.2.0, approved by you@localhost', 'succeeded'],
  ['deny', 'INTENT_DENIED', 'none'],
] as const)(
  'the script asks, a person decides to %s, and it does what was decided',
  async (verdict, ends, execution) => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'silentauth-example-'))
    vi.stubEnv('SILENTAUTH_DATA', dataDir)
    const said = vi.spyOn(console, 'log').mockImplementation(() => {})
    const asked = vi.spyOn(console, 'error').mockImplementation(() => {})
    try {
      await using gate = await startServer({ dataDir, port: 0 })
      const approver = await signIn(await gate.signInLink(gate.owner.id))
      const intents = async () => (await gate.store.intents({ projectId: gate.projectId, limit: 10 })).items

      const ran = import('./deploy.ts').then(
        () => String(said.mock.lastCall?.[0]),
        (error) => error.code,
      )
      const waiting = await vi.waitUntil(async () => (await intents())[0], { timeout: 15_000 })
      await approver.decide(waiting.declaration.id, verdict)

      expect(await ran).toBe(ends)
      expect((await intents()).map((state) => state.execution.state)).toEqual([execution])
      expect(asked.mock.lastCall?.[0]).toContain(`/inbox/${waiting.declaration.id}`)
    } finally {
      await rm(dataDir, { recursive: true, force: true })
    }
  },
  20_000,
)
