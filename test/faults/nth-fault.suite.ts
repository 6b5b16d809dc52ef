/**
 * Nth fault: the first, second, third … store call, lost commit, SQL statement and signature fails, in every scenario, until there
 * is none left to fail. Whatever happens, an intent is as before or as after, and a repetition leads to after.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  generateSigningKey,
  isSilentAuthError,
  memoryStore,
  privateKeySigner,
  type Signer,
  type Store,
} from '@silentauth/core'
import { type FakeClock, fakeClock, testGate } from '@silentauth/core/testing'
import { postgresStore } from '@silentauth/store/postgres'
import { sqliteStore } from '@silentauth/store/sqlite'
import { startPostgres } from '../support/postgres.ts'
import { type Fault, failingPostgresStatement, failingSqliteStatement } from './failing-statement.ts'
import { type FaultyStore, faultyStore } from './faulty-store.ts'
import { flawsOf, historyOf, placeAll } from './history.ts'
import { DEFAULT_POLICIES, SCENARIOS, type Scenario } from './scenarios.ts'
import { type Counters, randomOf, type Suite } from './suite.ts'

const WEEK_MS = 7 * 24 * 3600_000
/** Monday, 09:00: weeks of the epoch begin on a Thursday. */
const HOUR_OF_WEEK_MS = (4 * 24 + 9) * 3600_000

type Kind = 'call' | 'answer' | 'statement' | 'signature'

/** Over PostgreSQL one in so many faults happens, unless `FAULTS=full`. */
const SAMPLE = 4
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

interface Engine {
  readonly kinds: readonly Kind[]
  open(clock: FakeClock): Promise<Store>
  readonly failStatement?: (nth: number) => Fault
  /** One fault in so many, from a random one on. @default 1: every one */
  readonly sample?: number
}

interface Stage {
  readonly clock: FakeClock
  readonly faulty: FaultyStore
  readonly signer: FaultySigner
  readonly failStatement: Engine['failStatement'] | undefined
}

export const suite: Suite = {
  name: 'nth fault',
  async run({ full, seed }) {
    const random = randomOf(seed)
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
    await using postgres = await startPostgres()
    const { url } = await postgres.createDatabase()
    let files = 0
    const engines: readonly Engine[] = [
      { kinds: ['call', 'answer', 'signature'], open: async ({ now }) => memoryStore({ now }) },
      {
        kinds: ['call', 'answer', 'statement', 'signature'],
        open: ({ now }) => sqliteStore({ file: path.join(folder, `${++files}.db`), now }),
        failStatement: failingSqliteStatement,
      },
      {
        kinds: ['call', 'answer', 'statement'],
        open: ({ now }) => postgresStore({ url, now }),
        failStatement: failingPostgresStatement,
        ...(!full && { sample: SAMPLE }),
      },
    ]
    try {
      for (const { kinds, open, failStatement, sample = 1 } of engines) {
        for (const scenario of SCENARIOS) {
          tally.scenarios++
          const clock = fakeClock()
          await using store = await open(clock)
          const stage = { clock, faulty: faultyStore(store), signer: faultySigner(signer), failStatement }
          const after = await undisturbed(stage, scenario)
          for (const kind of kinds) {
            const first = 1 + Math.floor(random() * sample)
            await everyNth(stage, scenario, { kind, first, step: sample }, after, tally)
          }
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
    { name: 'scenarios, over memory, SQLite and PostgreSQL', value: scenarios, must: { beAtLeast: 36 } },
    { name: 'store calls failed', value: faults.call, must: { beAtLeast: 250 } },
    { name: 'answers to commits lost', value: faults.answer, must: { beAtLeast: 24 } },
    { name: 'SQL statements failed, connections broken', value: faults.statement, must: { beAtLeast: 250 } },
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

interface Series {
  readonly kind: Kind
  readonly first: number
  readonly step: number
}

async function everyNth(stage: Stage, scenario: Scenario, series: Series, after: string, tally: Tally): Promise<void> {
  const { kind } = series
  for (let nth = series.first; ; nth += series.step) {
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
  // At the same hour of the same day of the week as every other one: the hour counts as risk, and scenarios move the clock.
  clock.advance(WEEK_MS - ((clock.now() - HOUR_OF_WEEK_MS) % WEEK_MS))
  const policies = scenario.policies ?? DEFAULT_POLICIES
  const test = await testGate({ store: faulty.store, clock, signer: signer.signer, policies })
  const act = await scenario.arrange(test)
  return {
    act,
    async look() {
      await placeAll(test.store, test.project.id)
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

function arm({ faulty, signer, failStatement }: Stage, kind: Kind, nth: number): Fault {
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
      if (!failStatement) throw new TypeError('this store has no statements')
      return failStatement(nth)
  }
}
