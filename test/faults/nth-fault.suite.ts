/**
 * Nth fault: the first, second, third … store call, lost commit, SQL statement and signature fails, in every scenario, until there
 * is none left to fail. Whatever happens, an intent is as before or as after, and a repetition leads to after.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { StatementSync } from 'node:sqlite'
import {
  generateSigningKey,
  isSilentAuthError,
  memoryStore,
  privateKeySigner,
  type Signer,
  type Store,
} from '@silentauth/core'
import { type FakeClock, fakeClock, testGate } from '@silentauth/core/testing'
import { sqliteStore } from '@silentauth/store/sqlite'
import { type FaultyStore, faultyStore } from './faulty-store.ts'
import { flawsOf, historyOf } from './history.ts'
import { DEFAULT_POLICIES, SCENARIOS, type Scenario } from './scenarios.ts'
import type { Counters, Suite } from './suite.ts'

type Kind = 'call' | 'answer' | 'statement' | 'signature'

/** More faults than any scenario has calls: who reaches it runs in circles. */
const MAX_NTH = 1000

interface Tally {
  scenarios: number
  faults: Record<Kind, number>
  /** Neither before nor after. */
  halfStates: number
  flaws: number
  withoutCode: number
  failedRetries: number
  /** The repetition led elsewhere than one undisturbed call. */
  otherEnds: number
}

interface Stage {
  readonly clock: FakeClock
  readonly faulty: FaultyStore
  readonly signer: FaultySigner
}

export const suite: Suite = {
  name: 'nth fault',
  async run() {
    const tally: Tally = {
      scenarios: 0,
      faults: { call: 0, answer: 0, statement: 0, signature: 0 },
      halfStates: 0,
      flaws: 0,
      withoutCode: 0,
      failedRetries: 0,
      otherEnds: 0,
    }
    const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-nth-'))
    const signer = await privateKeySigner(await generateSigningKey('EdDSA'))
    let files = 0
    const engines: Record<string, { kinds: readonly Kind[]; open(clock: FakeClock): Promise<Store> }> = {
      memory: { kinds: ['call', 'answer', 'signature'], open: async ({ now }) => memoryStore({ now }) },
      sqlite: {
        kinds: ['call', 'answer', 'statement', 'signature'],
        open: ({ now }) => sqliteStore({ file: path.join(folder, `${++files}.db`), now }),
      },
    }
    try {
      for (const { kinds, open } of Object.values(engines)) {
        for (const scenario of SCENARIOS) {
          tally.scenarios++
          const clock = fakeClock()
          await using store = await open(clock)
          const stage = { clock, faulty: faultyStore(store), signer: faultySigner(signer) }
          const after = await undisturbed(stage, scenario)
          for (const kind of kinds) await everyNth(stage, scenario, kind, after, tally)
        }
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
    return countersOf(tally)
  },
}

function countersOf({ scenarios, faults, ...flaws }: Tally): Counters {
  return [
    { name: 'scenarios, over memory and SQLite', value: scenarios, must: { beAtLeast: 24 } },
    { name: 'store calls failed', value: faults.call, must: { beAtLeast: 200 } },
    { name: 'answers to commits lost', value: faults.answer, must: { beAtLeast: 24 } },
    { name: 'SQL statements failed', value: faults.statement, must: { beAtLeast: 200 } },
    { name: 'signatures failed', value: faults.signature, must: { beAtLeast: 4 } },
    { name: 'neither before nor after', value: flaws.halfStates, must: { be: 0 } },
    { name: 'invariants broken', value: flaws.flaws, must: { be: 0 } },
    { name: 'errors without a code', value: flaws.withoutCode, must: { be: 0 } },
    { name: 'retries that failed', value: flaws.failedRetries, must: { be: 0 } },
    { name: 'retries that led elsewhere', value: flaws.otherEnds, must: { be: 0 } },
  ]
}

async function undisturbed(stage: Stage, scenario: Scenario): Promise<string> {
  const { act, look } = await arranged(stage, scenario)
  await act()
  return (await look()).shape
}

async function everyNth(stage: Stage, scenario: Scenario, kind: Kind, after: string, tally: Tally): Promise<void> {
  for (let nth = 1; ; nth++) {
    if (nth > MAX_NTH) throw new Error(`${scenario.name}: still going after ${MAX_NTH} faults of kind ${kind}`)
    const { act, look } = await arranged(stage, scenario)
    const before = (await look()).shape
    const fault = arm(stage, kind, nth)
    const error = await act().then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    const fired = fault.disarm()
    if (!fired) {
      if (error !== undefined) throw error
      return
    }
    tally.faults[kind]++
    const tell = (what: string, cause?: unknown): void => {
      console.error(`  ${scenario.name}, ${kind} ${nth}: ${what}${cause === undefined ? '' : `: ${cause}`}`)
    }
    if (error !== undefined && !isSilentAuthError(error)) {
      tally.withoutCode++
      tell('an error without a code', error)
    }
    const seen = await look()
    if (seen.flaws.length > 0) {
      tally.flaws++
      tell(`broken: ${seen.flaws.join(', ')}`)
    }
    if (seen.shape !== before && seen.shape !== after) {
      tally.halfStates++
      tell('neither before nor after')
    }
    const again = await act().then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    const refusedByDesign =
      seen.shape === after && isSilentAuthError(again) && scenario.refusals.some((code) => code === again.code)
    if (again !== undefined && !refusedByDesign) {
      tally.failedRetries++
      tell('the retry failed', again)
    }
    const end = await look()
    if (end.shape !== after || end.flaws.length > 0) {
      tally.otherEnds++
      tell(`the retry led elsewhere ${end.flaws.join(', ')}`)
    }
  }
}

/** A project of its own, up to the call that is disturbed. */
async function arranged({ clock, faulty, signer }: Stage, scenario: Scenario) {
  const policies = scenario.policies ?? DEFAULT_POLICIES
  const test = await testGate({ store: faulty.store, clock, signer: signer.signer, policies })
  const act = await scenario.arrange(test)
  return {
    act,
    async look() {
      const outbox = faulty.outbox.filter(({ projectId }) => projectId === test.project.id)
      const history = await historyOf(test.store, test.project.id, outbox)
      const flaws = Object.entries(flawsOf(history)).flatMap(([name, times]) => (times > 0 ? [`${name} ${times}`] : []))
      return { shape: shapeOf({ states: history.states, leaves: history.leaves.map(eventsOf) }), flaws }
    },
  }
}

function eventsOf({ body }: { readonly body: string }): unknown {
  const { actor, events } = JSON.parse(body) as Record<string, unknown>
  return { actor, events }
}

/** The same text for the same outcome: ids become numbers, in the order in which they occur; digests, secrets and instants go. */
function shapeOf(value: unknown): string {
  const numbers = new Map<string, number>()
  return JSON.stringify(value, (name, member: unknown) =>
    RANDOM.has(name) || /(?:^|[a-z])At$/.test(name) || name === 'at' ? undefined : member,
  )
    .replaceAll(/\b([a-z]{2,4})_[0-9a-z]{26}\b/g, (id, kind) => {
      if (!numbers.has(id)) numbers.set(id, numbers.size)
      return `${kind}#${numbers.get(id)}`
    })
    .replaceAll(/\bsha-256:[\w-]{43}\b/g, 'digest')
    .replaceAll(/[0-9a-z]{8}@example\.com/g, 'person@example.com')
}

const RANDOM = new Set([
  'redactionSecret',
  'iat',
  'exp',
  'useUntil',
  'deadline',
  'idempotency',
  'createdAt',
  'expires_at',
  'created_at',
])

interface FaultySigner {
  readonly signer: Signer
  arm(nth: number | undefined): void
  fired(): boolean
}

function faultySigner(inner: Signer): FaultySigner {
  let left: number | undefined
  return {
    signer: {
      ...inner,
      async sign(bytes) {
        // As a key management service that is away: no error of ours.
        if (left !== undefined && --left === 0) throw new Error('injected: the signer is away')
        return inner.sign(bytes)
      },
    },
    arm(nth) {
      left = nth
    },
    fired: () => left !== undefined && left <= 0,
  }
}

function arm({ faulty, signer }: Stage, kind: Kind, nth: number): { disarm(): boolean } {
  switch (kind) {
    case 'call':
    case 'answer':
      faulty.arm({ kind, nth })
      return {
        disarm() {
          const fired = faulty.fired()
          faulty.arm(undefined)
          return fired
        },
      }
    case 'signature':
      signer.arm(nth)
      return {
        disarm() {
          const fired = signer.fired()
          signer.arm(undefined)
          return fired
        },
      }
    case 'statement':
      return failingStatement(nth)
  }
}

/** The nth statement of `node:sqlite` fails, commits among them. */
function failingStatement(nth: number): { disarm(): boolean } {
  const { run, all, iterate } = StatementSync.prototype
  let left = nth
  const failing = <Method extends (...args: never[]) => unknown>(method: Method): Method =>
    function (this: StatementSync, ...args: never[]) {
      if (--left === 0)
        throw Object.assign(new Error('injected: disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 10 })
      return Reflect.apply(method, this, args)
    } as Method
  Object.assign(StatementSync.prototype, { run: failing(run), all: failing(all), iterate: failing(iterate) })
  return {
    disarm() {
      Object.assign(StatementSync.prototype, { run, all, iterate })
      return left <= 0
    },
  }
}
