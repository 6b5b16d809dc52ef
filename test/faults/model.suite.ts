/**
 * Model: whatever a gate is asked, alone or at once, with or without a store that fails, it answers as the rules of
 * docs/lifecycle.md say. Over memory, SQLite and PostgreSQL; and every defect that is seeded into the engine is found by the same
 * property.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { startPostgres } from '../support/postgres.ts'
import { DEFECTS, type Defect } from './model/defects.ts'
import type { WorkerOptions } from './model/model.worker.ts'
import type { Checked } from './model/property.ts'
import type { Counter, Counters, Suite } from './suite.ts'

/** Processes at a time. */
const LANES = 2
/** Nobody looks that long in vain for what is there: it has taken at most a fifth of it. */
const RUNS_PER_DEFECT = 3000
const STORES = ['memory', 'SQLite', 'PostgreSQL'] as const
type StoreName = (typeof STORES)[number]
/** PostgreSQL takes ten times as long as memory. */
const RUNS: Readonly<Record<StoreName, number>> = { memory: 760, SQLite: 180, PostgreSQL: 60 }
/** What a run must have come across, over all stores, or it proves little. */
const REACHED = [
  ...['claim granted', 'claim running', 'claim recorded', 'claim closed', 'claim unknown', 'claim broken'],
  ...[
    'redeem used',
    'redeem refused',
    'report ok',
    'edit ok',
    'reconcile ok',
    'withdraw ok',
    'restore ok',
    'concurrent',
  ],
]

export const suite: Suite = {
  name: 'model',
  async run({ full, seed }) {
    const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-model-'))
    await using server = await startPostgres()
    try {
      const { url } = await server.createDatabase()
      // Thirty processes read the same sources.
      const start: Start = (options, defect) => inProcess(path.join(folder, 'compiled'), options, defect)
      const factor = full ? 10 : 1
      const stores: Record<StoreName, WorkerOptions['store']> = {
        memory: 'memory',
        SQLite: `sqlite:${path.join(folder, 'gate.db')}`,
        PostgreSQL: url as `postgres://${string}`,
      }
      const again = replay(process.env)
      if (again) return await seenAgain(again, stores, seed, start)
      const checks = STORES.toReversed().map((name) => () => {
        return checkOver(name, { store: stores[name], seed, runs: RUNS[name] * factor, shrink: true }, start)
      })
      const searches = DEFECTS.map((defect) => () => searchFor(defect, seed, start))
      const done = await inLanes<Counters | boolean>([...checks, ...searches])
      const caught = done.filter((each) => each === true).length
      console.log(`  defects caught ${caught} of ${DEFECTS.length}`)
      return [
        ...together(done.filter((each) => typeof each !== 'boolean')),
        { name: 'seeded defects', value: DEFECTS.length, must: { beAtLeast: 12 } },
        { name: 'seeded defects caught', value: caught, must: { be: DEFECTS.length } },
      ]
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}

type Start = (options: WorkerOptions, defect?: Defect) => Promise<Checked>

/** One failure again, as the suite has printed it. */
interface Replay {
  readonly store: StoreName
  readonly path: string
  readonly replayPath: string | undefined
}

function replay({ MODEL_STORE, MODEL_PATH, MODEL_REPLAY }: NodeJS.ProcessEnv): Replay | undefined {
  if (MODEL_PATH === undefined) return undefined
  const store = STORES.find((name) => name === MODEL_STORE)
  if (!store) throw new TypeError(`MODEL_STORE is none of ${STORES.join(', ')}`)
  return { store, path: MODEL_PATH, replayPath: MODEL_REPLAY }
}

async function seenAgain(
  { store, ...again }: Replay,
  stores: Readonly<Record<StoreName, WorkerOptions['store']>>,
  seed: number,
  start: Start,
): Promise<Counters> {
  return together(
    [await checkOver(store, { store: stores[store], seed, runs: 1, shrink: false, ...again }, start)],
    false,
  )
}

async function checkOver(name: StoreName, options: WorkerOptions, start: Start): Promise<Counters> {
  const { runs, tally, failure } = await start(options)
  if (failure) {
    const replayPath = failure.replayPath === undefined ? '' : ` MODEL_REPLAY='${failure.replayPath}'`
    console.error(`  over ${name}: ${failure.message}`)
    console.error(
      `    again: FAULTS_SEED=${options.seed} MODEL_STORE=${name} MODEL_PATH=${failure.path}${replayPath} npm run faults model`,
    )
  }
  return [
    { name: `${name}: runs`, value: runs, must: failure ? 'told' : { be: options.runs } },
    { name: `${name}: differed from the rules`, value: failure ? 1 : 0, must: { be: 0 } },
    ...Object.entries(tally).map(([reached, value]): Counter => ({ name: reached, value, must: 'told' })),
  ]
}

async function searchFor(defect: Defect, seed: number, start: Start): Promise<boolean> {
  const { runs, failure } = await start({ store: 'memory', seed, runs: RUNS_PER_DEFECT, shrink: false }, defect)
  if (!failure) console.error(`  not caught in ${runs} runs: ${defect.name}`)
  return failure !== undefined
}

/** What was come across over all stores, and the rest as it is. */
function together(each: readonly Counters[], whole = true): Counters {
  const all = each.flat()
  const sumOf = (names: (name: string) => boolean): number =>
    all.reduce((sum, { name, value }) => sum + (names(name) ? value : 0), 0)
  return [
    ...all.filter(({ name }) => name.includes(':')),
    { name: 'actions', value: sumOf((name) => !name.includes(':')), must: 'told' },
    ...REACHED.map((reached): Counter => {
      return { name: reached, value: sumOf((name) => name === reached), must: whole ? { beAtLeast: 1 } : 'told' }
    }),
  ]
}

const HERE = path.join(import.meta.dirname, 'model')

/** A process of its own: its engine is the sources, or a test build of them with a defect. */
async function inProcess(cache: string, options: WorkerOptions, defect?: Defect): Promise<Checked> {
  const child = spawn(
    process.execPath,
    [
      '--conditions=@silentauth/source',
      '--import',
      path.join(HERE, 'engine-hooks.mjs'),
      path.join(HERE, 'model.worker.ts'),
      JSON.stringify(options),
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: cache,
        ...(defect && { MODEL_DEFECT: defect.name, MODEL_DEFECT_MODULE: defect.module }),
      },
    },
  )
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', resolve)
  })
  const [out, code] = await Promise.all([text(child.stdout), ended])
  if (code !== 0) throw new Error(`a process of the model suite ended with ${code}`)
  return JSON.parse(out) as Checked
}

async function inLanes<Result>(work: readonly (() => Promise<Result>)[]): Promise<readonly Result[]> {
  const left = work.values()
  const done: Result[] = []
  const lane = async (): Promise<void> => {
    for (const each of left) done.push(await each())
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return done
}
