/**
 * The living log of a server: its key, its sequencer, and where the last checkpoint is held.
 *
 * @module
 */
import { heldInMemory, type Sequencer, type Signer, type Store, sequencer } from '@silentauth/core'
import type { Logger } from 'pino'
import type { DataFolder } from './data-folder.js'
import type { Identity } from './embedded.js'
import { heldFile } from './held-file.js'
import { logKey } from './log-key.js'
import { stateFolder } from './state-folder.js'

export interface LivingLogOptions {
  readonly store: Store
  readonly folder: DataFolder
  readonly identity: Identity
  /** What signs something else; the key of the log must be none of them. */
  readonly others: readonly Signer[]
  /** @default a key file in the data folder */
  readonly signer?: Signer | undefined
  /** @default the state folder of the user */
  readonly stateDir?: string | undefined
  /** Whether the database goes with the process, and what is held of it too. @default false */
  readonly volatile?: boolean | undefined
  readonly logger: Logger
}

/** @throws SilentAuthError `LOG_REWRITTEN` when the database is behind what is held of it, or was written to */
export async function livingLog(options: LivingLogOptions): Promise<Sequencer> {
  const { store, folder, identity, logger } = options
  const { issuer, projectId } = identity
  const signer = await logKey(folder, identity, options.others, options.signer)
  const held = options.volatile ? heldInMemory() : heldFile(await stateFolder(options.stateDir), projectId)
  const isHeld = options.volatile === true || (await held.read()) !== undefined
  let faulty = false
  const log = await sequencer({
    store,
    projectId,
    issuer,
    signer,
    held,
    onFault(error) {
      // Once, and not each second, until it works again.
      if (!faulty) logger.error({ err: error }, 'the audit log is not sequenced')
      faulty = true
    },
  })
  if (!isHeld && log.head()) {
    logger.warn('no checkpoint of this log is held here yet: what the database says at this start is believed')
  }
  log.onCheckpoint(() => {
    faulty = false
  })
  return log
}

/** The next checkpoint is tried again. */
export function anchorLog(logger: Logger): (failure: { readonly anchor: string; readonly error: unknown }) => void {
  return ({ anchor, error }) => logger.warn({ err: error, anchor }, 'an anchor took no checkpoint')
}
