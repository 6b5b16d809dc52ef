/**
 * The property that a gate must have, whatever it is asked: it answers as the reference does, and its history does not contradict
 * itself. Checked by fast-check, with commands and interleavings that it draws.
 *
 * @module
 */
import fc from 'fast-check'
import { commands, opening, type Tally, verifyAll } from './commands.ts'
import type { Reference } from './reference.ts'
import { type Stage, subject } from './subject.ts'

export interface CheckOptions {
  readonly seed: number
  readonly runs: number
  /** Of an earlier failure, to see it again. */
  readonly path?: string | undefined
  readonly replayPath?: string | undefined
  /** Whether a failure is made as small as possible. */
  readonly shrink: boolean
}

export interface Checked {
  readonly runs: number
  readonly tally: Readonly<Record<string, number>>
  readonly failure: Failure | undefined
}
export interface Failure {
  readonly path: string
  readonly replayPath: string | undefined
  /** What was asked up to it, and what differs. */
  readonly message: string
}

export async function check(stage: Stage, options: CheckOptions): Promise<Checked> {
  const tally: Tally = new Map()
  const { seed, runs, path, replayPath, shrink } = options
  const property = fc.asyncProperty(
    opening(),
    commands(replayPath),
    fc.scheduler(),
    async (first, drawn, scheduler) => {
      const world: Reference = { now: 0, intents: [], policy: 'one', cautiousUntil: 0, agentPaused: false, away: [] }
      await using gate = await subject(stage)
      const run = { subject: gate, scheduler, tally, trail: [] }
      await first.run(world, run)
      await fc.asyncModelRun(() => ({ model: world, real: run }), drawn)
      await verifyAll(world, run)
      const flaws = await gate.flaws()
      if (flaws.length > 0) throw new Error(`the history contradicts itself: ${flaws.join(', ')}`)
    },
  )
  const details = await fc.check(property, {
    seed,
    numRuns: runs,
    ...(path !== undefined && { path }),
    endOnFailure: !shrink,
  })
  const drawn = String(details.counterexample?.[1] ?? '')
  return {
    runs: details.numRuns,
    tally: Object.fromEntries([...tally].sort()),
    failure: details.failed
      ? {
          path: details.counterexamplePath ?? '',
          replayPath: /replayPath="([^"]*)"/.exec(drawn)?.[1],
          message:
            details.errorInstance instanceof Error ? details.errorInstance.message : String(details.errorInstance),
        }
      : undefined,
  }
}
