/**
 * What an operator does after an older backup of the database was restored: look what was lost, and accept it.
 *
 * @module
 */
import {
  acceptRestore,
  headOf,
  isSilentAuthError,
  type LogHead,
  logName,
  noteSigner,
  type PrivateJwk,
  privateKeySigner,
  type RestoreReport,
  requireChain,
  type Signer,
  type Store,
} from '@silentauth/core'
import { pino } from 'pino'
import { type DataFolder, dataFolder } from './data-folder.js'
import { openStore } from './database.js'
import { type Identity, knownIdentity } from './embedded.js'
import { heldFile } from './held-file.js'
import { LOG_KEY_FILE, signedFor } from './log-key.js'
import { productionIdentity } from './production.js'
import { putRestoredEpoch, retirePermitKey } from './retired-keys.js'
import type { ServeOptions } from './serve.js'
import { signingKey } from './signing-key.js'
import type { ServerOptions } from './start-server.js'
import { stateFolder } from './state-folder.js'

export interface RestoreServerOptions
  extends Pick<
    ServerOptions,
    'dataDir' | 'keysDir' | 'database' | 'stateDir' | 'logSigner' | 'executionSecret' | 'logger'
  > {
  /** Of a gate in production. @default an embedded one */
  readonly production?: Pick<ServeOptions, 'publicUrl' | 'projectId'> | undefined
  /** Else it only looks. @default false */
  readonly accept?: boolean | undefined
}

export type RestoreOutcome =
  | { readonly type: 'whole'; readonly held: LogHead | undefined }
  /** The database is behind what is held of it; nothing was changed. */
  | { readonly type: 'behind'; readonly held: LogHead | undefined; readonly stored: LogHead | undefined }
  | { readonly type: 'accepted'; readonly report: RestoreReport }

/**
 * Over the same folders and database as the server, which must be stopped.
 *
 * @throws SilentAuthError `LOG_REWRITTEN` when the database is not an older one, but an altered one; Error when there is no gate
 */
export async function restoreServer(options: RestoreServerOptions = {}): Promise<RestoreOutcome> {
  const folder = await dataFolder(options.dataDir ?? '.silentauth')
  // Before anything is made in a folder that is not one of a gate.
  const keys = options.keysDir === undefined ? folder : await dataFolder(options.keysDir)
  const key = options.logSigner ?? (await keyIn(keys))
  const logger = options.logger ?? pino({ level: 'silent' })
  await using store = await openStore({ url: options.database ?? `sqlite:${folder.fileIn('gate.db')}`, logger })
  const { issuer, projectId } = await whose(store, { folder, keys }, options.production)
  const signer = await noteSigner(logName(issuer, projectId), key)
  const held = heldFile(await stateFolder(options.stateDir), projectId)
  if (options.accept) {
    // Not in the database, so not in its transaction: retired once too often does no harm.
    const alg = await retirePermitKey(keys, options.executionSecret)
    // Here, and not by the nodes that start afterwards: each would make another one.
    if (alg !== undefined) await signingKey(keys, alg)
    const report = await acceptRestore({ store, projectId, issuer, signer, held })
    await putRestoredEpoch(keys, report.epoch)
    return { type: 'accepted', report }
  }
  const chain = { projectId, keys: [signer] }
  const note = await held.read()
  const before = note === undefined ? undefined : await headOf(note, chain, 'held')
  try {
    await requireChain(store, chain, before)
    return { type: 'whole', held: before }
  } catch (error) {
    if (!isSilentAuthError(error) || error.field !== 'held') throw error
    return { type: 'behind', held: before, stored: await store.lastCheckpoint(projectId) }
  }
}

/** Whose log it is: a folder in which an embedded gate was once can be that of one in production today. */
async function whose(
  store: Store,
  { folder, keys }: { readonly folder: DataFolder; readonly keys: DataFolder },
  production: RestoreServerOptions['production'],
): Promise<Identity> {
  const embedded = await knownIdentity(folder)
  const isEmbedded = embedded !== undefined && ((await signedFor(keys, embedded)) ?? production === undefined)
  if (isEmbedded) return embedded
  if (production === undefined) {
    throw new TypeError(
      `${folder.path} is of a gate in production: SILENTAUTH_PUBLIC_URL and SILENTAUTH_DATABASE say which`,
    )
  }
  return productionIdentity(store, keys, production, [])
}

async function keyIn(folder: DataFolder): Promise<Signer> {
  const jwk = (await folder.read(LOG_KEY_FILE)) as PrivateJwk | undefined
  if (jwk === undefined) throw new Error(`${folder.fileIn(LOG_KEY_FILE)} is not there: restore it with the database`)
  return privateKeySigner(jwk)
}
