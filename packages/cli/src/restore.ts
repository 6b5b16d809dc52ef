/**
 * `silentauth restore`: after an older backup of the database was put back. It says what was lost; `--accept` makes the gate start
 * again, with nothing left that could execute twice.
 *
 * @module
 */
import type { ProjectId } from '@silentauth/core'
import { configurationOf, type RestoreOutcome, restoreServer } from '@silentauth/server'
import { EXIT } from './exit.js'

export interface RestoreCommandOptions {
  readonly data: string
  readonly state?: string | undefined
  readonly accept?: boolean | undefined
  readonly json?: boolean | undefined
}

export async function restore({ data, state, accept, json }: RestoreCommandOptions): Promise<number> {
  const { executionSecret, database, keysDir, publicUrl } = configurationOf(process.env)
  const projectId = process.env.SILENTAUTH_PROJECT as ProjectId | undefined
  const production = publicUrl === undefined ? undefined : { publicUrl, projectId }
  const outcome = await restoreServer({
    dataDir: data,
    keysDir,
    stateDir: state,
    accept,
    executionSecret,
    database,
    production,
  })
  if (json) console.log(JSON.stringify(outcome))
  else for (const line of linesOf(outcome, executionSecret !== undefined)) console.error(line)
  return outcome.type === 'behind' ? EXIT.refused : EXIT.ok
}

function linesOf(outcome: RestoreOutcome, isShared: boolean): readonly string[] {
  switch (outcome.type) {
    case 'whole':
      return [
        outcome.held ? `The log has everything up to leaf ${outcome.held.size}: nothing was lost.` : 'Nothing is held.',
      ]
    case 'behind':
      return [
        `The database has ${outcome.stored?.size ?? 0} signed leaves; ${outcome.held?.size ?? 0} are held outside: it is an older one.`,
        'What happened in between is lost: approvals, executions, who was stopped. Restore a newer backup if there is one.',
        'Else stop every server and run `silentauth restore --accept`: pending intents expire, approvals that did not begin are',
        'abandoned, begun ones become unknown, agents are paused, keys disabled, sessions ended, and the permit key is retired.',
      ]
    case 'accepted': {
      const { report } = outcome
      return [
        `Epoch ${report.epoch} of the log begins at leaf ${report.restoredSize}${report.held ? `; ${report.held.size} were held outside` : ''}.`,
        `Expired ${report.expired}, abandoned ${report.abandoned}, unknown ${report.unknown}; agents paused ${report.agentsPaused}, keys disabled ${report.keysDisabled}.`,
        `Until ${new Date(report.cautiousUntil).toISOString()} policies approve nothing by themselves.`,
        isShared
          ? 'EXECUTION_SECRET is retired: start with another one.'
          : 'The permit key is retired, and another one made: copy this folder to the other nodes; verifiers must pin it.',
      ]
    }
  }
}
