/**
 * An example, started as its user starts it, beside an embedded gate with a person who decides.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import type { IntentId } from '@silentauth/core'
import { startServer } from '@silentauth/server'
import { signIn } from '../../examples/demo/approver.ts'
import { loaders } from './loaders.ts'

const START_MS = 90_000

/** @param folder of the example */
export async function startedExample(folder: string) {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'silentauth-example-'))
  const gate = await startServer({ dataDir, port: 0 })
  const approver = await signIn(await gate.signInLink(gate.owner.id))
  const env = { ...process.env, SILENTAUTH_DATA: dataDir, OPENAI_API_KEY: '' }
  const intents = async () => (await gate.store.intents({ projectId: gate.projectId, limit: 10 })).items
  return {
    /** What it prints. @param command a file of the example, and its arguments */
    async run(...command: string[]): Promise<{ stdout: string; stderr: string }> {
      const options = { cwd: folder, env, timeout: START_MS }
      return promisify(execFile)(process.execPath, [...loaders(), ...command], options)
    },
    intents,
    executions: async () => (await intents()).map((state) => state.execution.state),
    decide: (id: IntentId, verdict: 'approve' | 'deny') => approver.decide(id, verdict),
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
