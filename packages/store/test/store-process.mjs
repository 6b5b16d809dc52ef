/**
 * A process with a store of its own, for tests of several on one file. Each job says on standard output what it has done,
 * one JSON line after the other.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { generateSigningKey, localGate, privateKeySigner } from '@silentauth/core'
import { sqliteStore } from '@silentauth/store/sqlite'

const { job, file, startAt = 0, ...task } = JSON.parse(process.argv[2])
await delay(Math.max(0, startAt - Date.now()))
const store = await sqliteStore({ file })
await JOBS()[job]()
await store[Symbol.asyncDispose]()

function JOBS() {
  return {
    async open() {
      say({ projects: (await store.projects()).length })
    },

    /** Votes on every intent, and tells how each vote ended. */
    async vote() {
      await using gate = await gateOf(task.projectId)
      for (const id of task.intents) {
        const outcome = await voteOn(gate, id).then(
          () => 'counted',
          (error) => error.code ?? String(error),
        )
        say({ id, outcome })
      }
    },

    /** Declares without end, naming each key before and each id after. */
    async declare() {
      const local = await gateOf(task.projectId)
      const gate = local.gateFor({ type: 'key', id: task.keyId, projectId: task.projectId })
      for (let count = 0; ; count++) {
        const key = `${task.prefix}-${count}`
        say({ asked: key })
        const intent = await gate.declare({ action: 'issue_refund', params: { count }, idempotencyKey: key })
        say({ answered: key, id: intent.id })
      }
    },
  }
}

async function voteOn(gate, id) {
  const person = { type: 'person', id: task.person, projectId: task.projectId, via: 'session' }
  const { intentHash } = await gate.desk.read(person, id)
  await gate.desk.vote(person, id, { verdict: task.verdict, intentHash })
}

async function gateOf(projectId) {
  return localGate({
    store,
    signer: await privateKeySigner(await generateSigningKey('EdDSA')),
    projectId,
    issuer: 'urn:silentauth:test',
    publicUrl: 'http://127.0.0.1:4747',
    sweepMs: 0,
    pollMs: 0,
    maxPendingPerKey: 1_000_000,
  })
}

function say(line) {
  // Synchronous on a pipe: what was said before a kill has arrived.
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
