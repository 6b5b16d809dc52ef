/** A process of a backend, for tests of several that share one single-use store: says which of its uses were first. */
import { setTimeout as delay } from 'node:timers/promises'
import { postgresSingleUse, sqliteSingleUse } from '@silentauth/store/single-use'

const { file, url, keys, keepUntil, startAt } = JSON.parse(process.argv[2])
const store = await (file ? sqliteSingleUse({ file }) : postgresSingleUse({ url }))
await delay(Math.max(0, startAt - Date.now()))
const results = await Promise.all(keys.map((key) => store.take(key, keepUntil)))
process.stdout.write(JSON.stringify(keys.filter((_, index) => results[index])))
await store[Symbol.asyncDispose]()
