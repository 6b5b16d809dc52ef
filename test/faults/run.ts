/**
 * Runs the fault suites one after the other, prints their counters as a table, and ends with 1 when one is off. A suite is a
 * file `<name>.suite.ts` in this folder that exports `suite`; names as arguments run only those.
 *
 * @module
 */
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { demandOf, holds, type Suite, sizeFrom } from './suite.ts'

const FOLDER = import.meta.dirname
const ENDING = '.suite.ts'

const wanted = process.argv.slice(2)
const names = (await readdir(FOLDER))
  .filter((file) => file.endsWith(ENDING))
  .map((file) => file.slice(0, -ENDING.length))
const unknown = wanted.filter((name) => !names.includes(name))
if (unknown.length > 0)
  throw new TypeError(`no such suite: ${unknown.join(', ')}; there are ${names.sort().join(', ')}`)

const size = sizeFrom(process.env)
console.log(`${size.full ? 'full size' : 'the size of CI; FAULTS=full for all of it'}, FAULTS_SEED=${size.seed}`)

const off: string[] = []
for (const name of names.filter((each) => wanted.length === 0 || wanted.includes(each)).sort()) {
  const { suite } = (await import(pathToFileURL(path.join(FOLDER, `${name}${ENDING}`)).href)) as { suite: Suite }
  console.log(`\n${suite.name}`)
  const started = performance.now()
  try {
    const counters = await suite.run(size)
    const width = Math.max(0, ...counters.map((counter) => counter.name.length))
    for (const counter of counters) {
      const held = holds(counter)
      if (!held) off.push(`${suite.name}: ${counter.name} is ${counter.value}, ${demandOf(counter)}`)
      const row = `  ${counter.name.padEnd(width)}  ${String(counter.value).padStart(9)}  ${demandOf(counter)}`
      console.log(held ? row.trimEnd() : `${row}   OFF`)
    }
    if (counters.length === 0) off.push(`${suite.name}: it counted nothing`)
  } catch (error) {
    console.error(error)
    off.push(`${suite.name}: it ended with an error`)
  }
  console.log(`  ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

console.log(off.length === 0 ? '\nEvery counter is what it must be.' : `\n${off.join('\n')}`)
process.exitCode = off.length === 0 ? 0 : 1
