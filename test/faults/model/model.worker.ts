/**
 * A process of the model suite: checks the property over one store, and prints what came of it as one line of JSON.
 *
 * @module
 */
import { generateSigningKey, memoryStore, privateKeySigner, type Store } from '@silentauth/core'
import { fakeClock } from '@silentauth/core/testing'
import { postgresStore } from '@silentauth/store/postgres'
import { sqliteStore } from '@silentauth/store/sqlite'
import { type Checked, type CheckOptions, check, type Failure } from './property.ts'

export interface WorkerOptions extends CheckOptions {
  readonly store: 'memory' | `sqlite:${string}` | `postgres://${string}`
}

const NEVER_ANSWERED: Failure = { path: '', replayPath: undefined, message: 'a command is never answered' }

const options = JSON.parse(process.argv[2] ?? '') as WorkerOptions
// In whole ten seconds, so that no instant falls within the skew of another.
const clock = fakeClock(Math.floor(Date.now() / 10_000) * 10_000)
await using stack = new AsyncDisposableStack()
const stores = await opened(options.store)
for (const store of new Set(stores)) stack.use(store)
const signer = await privateKeySigner(await generateSigningKey('EdDSA'))
// Node has nothing left to do, and some command waits for ever: a gate that never answers differs from one that does.
process.once('beforeExit', () => print({ runs: 0, tally: {}, failure: NEVER_ANSWERED }))
print(await check({ stores, clock, signer }, options))

/** And ends the process: a store is never free of the command that was left in the middle of its transaction. */
function print(checked: Checked): never {
  process.stdout.write(`${JSON.stringify(checked)}\n`)
  process.exit()
}

/** Of two nodes: over memory and one file they share the store, so that the same seed does the same again. */
async function opened(at: WorkerOptions['store']): Promise<readonly [Store, Store]> {
  const { now } = clock
  if (at.startsWith('postgres:')) {
    const node = () => postgresStore({ url: at, now, maxConnections: 4 })
    return [await node(), await node()]
  }
  const store = at === 'memory' ? memoryStore({ now }) : await sqliteStore({ file: at.slice('sqlite:'.length), now })
  return [store, store]
}
