/**
 * `npm run attack`: four attacks on approvals, each first on a framework as it comes, then with one wrap. No input, no network.
 * `--json` ends with one line for machines; the exit code is 1 if any attack is not refused.
 */
import { flagsOf } from '../demo/flags.ts'
import { exitCodeOf, tell } from './tell.ts'

/** In a terminal a line stands for as long as it takes to read. */
const PAUSE_MS = 3000

const flags = flagsOf('npm run attack [-- --json]', ['json'])
const paced = process.stderr.isTTY === true && !flags.json

const told = await tell({
  say: (line = '') => void process.stderr.write(`${line}\n`),
  pause: () => new Promise((resolve) => (paced ? setTimeout(resolve, PAUSE_MS) : resolve())),
})
const refused = told.filter((attack) => attack.refused).length
if (flags.json) console.log(JSON.stringify({ attacks: told, refused, of: told.length }))
process.exitCode = exitCodeOf(told)
