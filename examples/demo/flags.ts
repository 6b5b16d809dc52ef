/**
 * The flags of a story that runs in the terminal: booleans, and `--help`. What is no flag of it is answered with what it takes.
 */
import { parseArgs } from 'node:util'

/** Ends the process, with 0 for `--help` and 64 for anything else that it does not take. */
export function flagsOf<const Name extends string>(usage: string, names: readonly Name[]): Partial<Record<Name, true>> {
  let given: Readonly<Record<string, unknown>> = {}
  try {
    const options = Object.fromEntries([...names, 'help'].map((name) => [name, { type: 'boolean' as const }]))
    given = parseArgs({ options }).values
  } catch {
    end(usage, 64)
  }
  if (given.help) end(usage, 0)
  return given as Partial<Record<Name, true>>
}

function end(usage: string, code: number): never {
  process.stderr.write(`${usage}\n`)
  process.exit(code)
}
