/**
 * An agent in a process of its own, as far as all frameworks share it: its gate is a file, so that it can end, be killed at
 * any step, and go on in another process; and its tool writes down each time that it runs.
 *
 * @module
 */
import { appendFileSync } from 'node:fs'
import path from 'node:path'
import {
  currentPermit,
  type Gate,
  type JsonObject,
  type KeyPrincipal,
  localGate,
  type PrivateJwk,
  type ProjectId,
  privateKeySigner,
  snapshot,
} from '@silentauth/core'
import { sqliteStore } from '@silentauth/store/sqlite'

/** Where a process is killed. */
export type KillPoint =
  | 'before the declare'
  | 'after the declare'
  | 'while pending'
  | 'before the claim'
  | 'after the claim'
  | 'in the tool, before its effect'
  | 'in the tool, after its effect'
  | 'before the report'
  | 'after the report'

/**
 * `start`: a new message. `continue`: as after a crash. `wake`: goes on whatever was decided, or because somebody says that it
 * was. `resume`: goes on with what was decided.
 */
export type AgentCommand = 'start' | 'continue' | 'wake' | 'resume'

export interface AgentProcessOptions {
  readonly killAt?: KillPoint | undefined
  readonly idempotent?: boolean | undefined
}

/** What a process is started with. */
export interface AgentProcessGiven extends AgentProcessOptions {
  readonly folder: string
  readonly projectId: ProjectId
  readonly key: KeyPrincipal
  readonly signingKey: PrivateJwk
  /** Of the app, for what it seals. */
  readonly secret: string
  /** By how much the clock of the gate is ahead of the system's. */
  readonly aheadMs: number
  readonly commands: readonly AgentCommand[]
}

/** What a process prints at its end. */
export interface AgentReport {
  /** Ids of the intents that it waits for. */
  readonly waiting: readonly (string | undefined)[]
  /** What the model read of its calls. */
  readonly toolTexts: readonly string[]
  readonly answer: string | undefined
}

export interface RefundArgs {
  readonly customer_id: string
  readonly amount: number
}

export interface AgentProcess extends AsyncDisposable {
  readonly folder: string
  readonly gate: Gate
  readonly secret: string
  readonly commands: readonly AgentCommand[]
  readonly idempotent: boolean | undefined
  /** The body of the tool. */
  refund(args: RefundArgs): string
  /** Prints it. */
  end(report: AgentReport): void
}

/** Of this process, as it was started. */
export async function agentProcess(): Promise<AgentProcess> {
  const given = JSON.parse(process.argv[2] ?? '') as AgentProcessGiven
  const { folder, projectId, key, signingKey, secret, aheadMs, commands, killAt, idempotent } = given
  const reach = (point: KillPoint): void => {
    if (point === killAt) process.kill(process.pid, 'SIGKILL')
  }
  const now = () => Date.now() + aheadMs
  const store = await sqliteStore({ file: path.join(folder, 'gate.db'), now })
  const local = localGate({
    store,
    signer: await privateKeySigner(signingKey),
    projectId,
    issuer: 'urn:silentauth:test',
    publicUrl: 'http://127.0.0.1:4747',
    sweepMs: 0,
    // Decisions are made in another process.
    pollMs: 50,
    now,
  })
  return {
    folder,
    gate: killedGate(local.gateFor(key), reach),
    secret,
    commands,
    idempotent,
    refund(args) {
      reach('in the tool, before its effect')
      const permit = currentPermit({ action: 'issue_refund' })
      const bound =
        permit !== undefined && snapshot(permit.params).digest === snapshot({ ...args } as JsonObject).digest
      appendFileSync(path.join(folder, 'effects'), `${bound ? permit.intentId : 'unbound'} ${args.amount}\n`)
      reach('in the tool, after its effect')
      return `refunded ${args.amount}`
    },
    end(report) {
      reach('while pending')
      process.stdout.write(`${JSON.stringify(report)}\n`)
    },
    async [Symbol.asyncDispose]() {
      await local[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

function killedGate(gate: Gate, reach: (point: KillPoint) => void): Gate {
  return Object.create(gate, {
    declare: {
      async value(...args: Parameters<Gate['declare']>) {
        reach('before the declare')
        const intent = await gate.declare(...args)
        reach('after the declare')
        return intent
      },
    },
    wait: {
      value(...args: Parameters<Gate['wait']>) {
        reach('while pending')
        return gate.wait(...args)
      },
    },
    claim: {
      async value(...args: Parameters<Gate['claim']>) {
        reach('before the claim')
        const claim = await gate.claim(...args)
        reach('after the claim')
        return claim
      },
    },
    report: {
      async value(...args: Parameters<Gate['report']>) {
        reach('before the report')
        await gate.report(...args)
        reach('after the report')
      },
    },
  })
}
