/**
 * `node scripts/check-demo.ts approve|deny`: runs the unattended demo exactly as the README says it, and checks the one JSON
 * line that it ends with.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { ROOT } from './workspace.ts'

const common = { intent_id: z.string().regex(/^int_[0-9a-z]+$/) }

const EXPECTED = {
  approve: z.strictObject({
    ...common,
    status: z.literal('approved'),
    answer: z.string().min(1),
    tool_executions: z.literal(1),
    backend: z.strictObject({ accepted: z.literal(1), refused: z.literal(3) }),
    permit: z.strictObject({ alg: z.string(), verified: z.literal(true) }),
    cheats: z.strictObject({
      no_permit: z.literal('PERMIT_MISSING'),
      replay: z.literal('PERMIT_REPLAYED'),
      other_params: z.literal('PERMIT_PARAMS'),
    }),
  }),
  deny: z.strictObject({
    ...common,
    status: z.literal('denied'),
    answer: z.string().regex(/denied/i),
    tool_executions: z.literal(0),
    backend: z.strictObject({ accepted: z.literal(0), refused: z.literal(1) }),
    permit: z.null(),
    cheats: z.strictObject({ no_permit: z.literal('PERMIT_MISSING') }),
  }),
}

const decision = process.argv[2]
if (decision !== 'approve' && decision !== 'deny') throw new TypeError('usage: check-demo.ts approve|deny')

const demo = spawn('npm', ['run', 'demo', '--', `--${decision}`, '--json'], {
  cwd: ROOT,
  stdio: ['ignore', 'pipe', 'inherit'],
})
const closed = new Promise<number | null>((resolve, reject) => demo.on('close', resolve).on('error', reject))
const output = await text(demo.stdout)
const status = await closed
const last = output.trimEnd().split('\n').at(-1) ?? ''
const faults = [...(status === 0 ? [] : [`it ended with exit code ${status}`]), ...faultsOf(last)]
console.log(output)
for (const fault of faults) console.error(`wrong: ${fault}`)
if (faults.length > 0) process.exitCode = 1

function faultsOf(line: string): string[] {
  try {
    const checked = EXPECTED[decision as keyof typeof EXPECTED].safeParse(JSON.parse(line))
    return checked.success ? [] : [z.prettifyError(checked.error)]
  } catch {
    return ['the last line is not JSON']
  }
}
