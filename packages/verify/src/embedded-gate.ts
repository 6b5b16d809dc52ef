/**
 * An embedded gate, as a backend on the same machine finds it: who it is, and the public keys that it left in its data folder,
 * where another program that took its port could not have put them.
 *
 * @module
 */
import type { RevocationsFrom } from './revocation-poll.js'

/** What `permitVerifier` needs of a gate, less the choices that are the backend's: `{ ...gate, singleUse }`. */
export interface EmbeddedGate {
  readonly issuer: string
  readonly projectId: string
  /** Path of the pinned keys of permits. */
  readonly keys: string
  readonly revocations: RevocationsFrom
}

/**
 * Reads `dev.json` of a data folder; the secret key in it goes nowhere.
 *
 * @param dataFolder what `silentauth dev` was started with @default SILENTAUTH_DATA, else './.silentauth'
 * @throws TypeError when no gate was started there, or when others could have written the file
 */
export async function embeddedGate(dataFolder?: string): Promise<EmbeddedGate> {
  // Not imported above, so that the module loads where there are no files.
  const [{ constants }, { open }, path] = await Promise.all([
    import('node:fs'),
    import('node:fs/promises'),
    import('node:path'),
  ])
  const folder = path.resolve(dataFolder ?? process.env.SILENTAUTH_DATA ?? '.silentauth')
  const file = path.join(folder, 'dev.json')
  let text: string
  try {
    await using handle = await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
    const { mode, uid } = await handle.stat()
    const own = process.getuid?.()
    // Whoever can write it can name another issuer, and another place for lists.
    if (own !== undefined && (uid !== own || (mode & 0o022) !== 0)) throw new TypeError(`${file} is open to others`)
    text = await handle.readFile('utf8')
  } catch (cause) {
    if (cause instanceof TypeError) throw cause
    throw new TypeError(`no gate was started in ${folder}: run \`npx silentauth dev\`, or name its data folder`, {
      cause,
    })
  }
  const { issuer, project_id: projectId, revocations_url: url } = membersOf(text, file)
  const keyFile = (name: string): string => path.join(folder, name)
  return {
    issuer,
    projectId,
    keys: keyFile('public.jwks.json'),
    revocations: { url, keys: keyFile('revocations.jwks.json') },
  }
}

const MEMBERS = ['issuer', 'project_id', 'revocations_url'] as const

function membersOf(text: string, file: string): Record<(typeof MEMBERS)[number], string> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Without the cause: a parser's message quotes the text, and this one holds a key.
  }
  const members = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  if (MEMBERS.some((name) => typeof members[name] !== 'string')) {
    throw new TypeError(`${file} is not what silentauth dev writes: start it again`)
  }
  return members as Record<(typeof MEMBERS)[number], string>
}
