/**
 * The gate that the attacks meet: an embedded one, over HTTP, in a data folder that is gone afterwards; the agent's client of it;
 * and a person who approves.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ERROR_STATUS, type ErrorCode, refusalText, SilentAuthError } from '@silentauth/core'
import { SilentAuth } from '@silentauth/sdk'
import { startServer } from '@silentauth/server'
import { signIn } from '../demo/approver.ts'

export interface AttackGate extends AsyncDisposable {
  readonly gate: SilentAuth
  readonly dataDir: string
  readonly jwksUrl: string
  readonly issuer: string
  /** How often somebody was asked so far. */
  asked(): Promise<number>
  approve(intentId: string): Promise<void>
  /** What waits is denied, as soon as there is something. */
  denyNext(): Promise<void>
}

export async function attackGate(): Promise<AttackGate> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'silentauth-attack-'))
  const server = await startServer({ dataDir, port: 0 })
  const gate = new SilentAuth({ dataFolder: dataDir })
  const approver = await signIn(await server.signInLink(server.owner.id))
  const intents = async () => (await server.store.intents({ projectId: server.projectId, limit: 100 })).items
  return {
    gate,
    dataDir,
    jwksUrl: server.jwksUrl,
    issuer: server.issuer,
    asked: async () => (await intents()).length,
    approve: (intentId) => approver.decide(intentId, 'approve'),
    async denyNext() {
      for (let tries = 0; tries < 600; tries++) {
        const waiting = (await intents()).find(({ status }) => status === 'pending')
        if (waiting) return approver.decide(waiting.declaration.id, 'deny')
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      throw new Error('nothing waits for a decision')
    },
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]()
      await server.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** The code of the refusal that a model was told. */
export function codeIn(text: string): string | undefined {
  const codes = Object.keys(ERROR_STATUS) as ErrorCode[]
  return codes.find((code) => {
    const [sentence = ''] = refusalText(new SilentAuthError(code, 'for its text')).split('. ')
    return sentence.split('this call').every((part) => text.includes(part))
  })
}
