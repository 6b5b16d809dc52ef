/**
 * Serving: a production gate on a port, over a database that all of its nodes share. What is missing or insecure is refused at the
 * start, with the reason.
 *
 * @module
 */
import { type Person, type PolicyDefinition, SilentAuthError } from '@silentauth/core'
import { type GateOptions, gateLogger, type OpenedGate, openGate } from './open-gate.js'
import { KEY_FILES, makeFirstOwner, type ProductionOptions, productionIdentity } from './production.js'
import { signInLink } from './sign-in-link.js'
import { PERMIT_KEY_FILE } from './signing-key.js'
import { storePolicies, warnOfUnknownApprovers } from './stored-policies.js'

export interface ServeOptions extends GateOptions, ProductionOptions {
  readonly database: string
  /** Its origin is the issuer of all permits: https, or http on a loopback host. */
  readonly publicUrl: string
  /** All policies of the project, at every start. @default those in the database; without any a person decides */
  readonly policies?: readonly PolicyDefinition[] | undefined
}

export interface ServedGate extends OpenedGate, AsyncDisposable {
  /** Who was made the owner of an empty database, at this start. */
  readonly firstOwner: Person | undefined
  /** A link for ten minutes and one use. @throws SilentAuthError `NOT_FOUND` */
  signInLink(email: string): Promise<string>
}

/** @throws as `startServer`; TypeError saying what is missing */
export async function serveGate(options: ServeOptions): Promise<ServedGate> {
  let isNew = false
  const keys = KEY_FILES.filter((name) => name !== PERMIT_KEY_FILE || options.executionSecret === undefined)
  const logger = options.logger ?? gateLogger()
  if (options.stateDir === undefined && process.env.SILENTAUTH_STATE === undefined) {
    logger.warn(
      'SILENTAUTH_STATE is not set: the last checkpoint is held in the home of this user, which may go with a container, or lie beside the database',
    )
  }
  const { own, ...running } = await openGate(
    { ...options, logger },
    {
      async identity(store, _, folder) {
        const found = await productionIdentity(store, folder, options, keys)
        isNew = found.isNew
        return found
      },
      async prepare({ localGate: gate, store }) {
        const owner =
          isNew && options.firstOwner !== undefined ? await makeFirstOwner(gate, options.firstOwner) : undefined
        if (options.policies) {
          warnOfUnknownApprovers(await storePolicies({ gate, store }, options.policies), logger)
        }
        return { firstOwner: owner }
      },
    },
  )
  const { store, projectId, url } = running
  return {
    ...running,
    ...own,
    async signInLink(email) {
      const { people } = await store.directory(projectId)
      const person = people.find((each) => each.email.toLowerCase() === email.toLowerCase())
      if (!person) throw new SilentAuthError('NOT_FOUND', 'nobody in this project has this e-mail')
      return signInLink({ store, projectId, publicUrl: url }, person.id)
    },
    [Symbol.asyncDispose]: running.close,
  }
}
