/**
 * A process of the model suite: checks the property over one store, and prints what came of it as one line of JSON.
 *
 * @module
 */
import { generateSigningKey, memoryStore, privateKeySigner, type Store } from '@silentauth/core'
import { fakeClock } from '@silentauth/core/testing'
import { postgresStore } from '@silentauth/store/postgres'
import { sqliteStore } from '@silentauth/store/sqlite'
import { type CheckOptions, check } from './property.ts'

export interface WorkerOptions extends CheckOptions {
  readonly store: 'memory' | `sqlite:${string}` | `postgres://${string}`
}

const options = JSON.parse(process.argv[2] ?? '') as WorkerOptions
// In whole ten seconds, so that no instant falls within the skew of another.
const clock = fakeClock(Math.floor(Date.now() / 10_000) * 10_000)
await using store = await opened(options.store)
const signer = await privateKeySigner(await generateSigningKey('EdDSA'))
const checked = await check({ store, clock, signer }, options)
process.stdout.write(`${JSON.stringify(checked)}\n`)

async function opened(at: WorkerOptions['store']): Promise<Store> {
  const { now } = clock
  if (at === 'memory') return memoryStore({ now })
  if (at.startsWith('sqlite:')) return sqliteStore({ file: at.slice('sqlite:'.length), now })
  return postgresStore({ url: at, now, maxConnections: 6 })
}
