/**
 * A gate in a process of its own whose clock is off, over the PostgreSQL that a test names. It does what it is sent, and answers
 * what came of it.
 */
const { url, skewMs, maxClockSkewMs, permitKey, logKey } = JSON.parse(process.argv[2])
const Exact = Date
// Before anything is loaded: nothing in here knows the time.
globalThis.Date = class extends Exact {
  constructor(...given) {
    if (given.length === 0) super(Exact.now() + skewMs)
    else super(...given)
  }
  static now() {
    return Exact.now() + skewMs
  }
}

const { guard, logName, noteSigner, outboxDelivery, privateKeySigner, revocationIssuer, snapshot } = await import(
  '@silentauth/core'
)
const { postgresStore } = await import('@silentauth/store/postgres')
const { ANN, ISSUER, livingGate, PROJECT } = await import('./living-gate.ts')

const store = await postgresStore({ url, maxClockSkewMs }).catch(({ message }) => process.send({ failed: message }))
const keys = {
  permit: permitKey,
  log: await noteSigner(logName(ISSUER, PROJECT), await privateKeySigner(logKey)),
  resultKey: crypto.getRandomValues(new Uint8Array(32)),
}
const { gate, agent, verifier } = await livingGate(store, keys)

const DOES = {
  now: () => Date.now(),
  declare: (draft) => agent.declare(draft),
  read: (id) => agent.read(id),
  wait: (id) => agent.wait(id, { timeoutMs: 20_000 }),
  claim: (id, attempt) => agent.claim(id, attempt),
  sweep: () => gate.sweep(),
  redeem: (request) => gate.counter.redeem(verifier, request),
  async vote(id) {
    const { intentHash } = await gate.desk.read(ANN, id)
    return (await gate.desk.vote(ANN, id, { verdict: 'approve', intentHash })).status
  },
  async guard(params) {
    const draft = { action: 'read_orders' }
    return guard(agent, { key: crypto.randomUUID(), snapshot: snapshot(params), draft }, async () => 'ran')
  },
  async deliver(fails) {
    const heard = []
    const notify = async ({ intentId }) => {
      heard.push(intentId)
      if (fails) throw new Error('not now')
    }
    const options = { store, projectId: PROJECT, notifiers: [{ name: 'wall', notify }], pollMs: 0, random: () => 0.5 }
    await using delivery = outboxDelivery(options)
    await delivery.deliverDue()
    return heard
  },
  async revocations() {
    const signer = await privateKeySigner(permitKey)
    return revocationIssuer({ store, projectId: PROJECT, issuer: ISSUER, signer }).list()
  },
}

process.on('message', async ({ call, op, args }) => {
  const done = await Promise.resolve()
    .then(() => DOES[op](...args))
    .then(
      (result) => ({ result: result === undefined ? null : JSON.parse(JSON.stringify(result)) }),
      ({ code, message }) => ({ error: { code, message } }),
    )
  process.send({ call, ...done })
})
process.send({ ready: true })
