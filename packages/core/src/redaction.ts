/**
 * Redaction: what an approver sees of params that hold secrets. A hidden value shows its type, its length and a prefix of an HMAC
 * under a secret of the intent, so that two reviews can be compared without anybody reading it.
 *
 * @module
 */
import { type Json, type JsonObject, type JsonPointer, pointerStep } from './json.js'
import { isSecretName } from './secret-name.js'
import { isSecretValue } from './secret-shape.js'

/** The one member of the object that stands for a hidden value. An agent that writes it has its object hidden. */
export const REDACTED = 'silentauth.redacted'

/** What stands in the place of a hidden value. */
export interface RedactedValue extends JsonObject {
  readonly [REDACTED]: {
    readonly type: 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object'
    /** Characters of a text or number, items of an array, members of an object; null where it would tell the value. */
    readonly length: number | null
    readonly hmac: string
  }
}

export interface Redaction {
  readonly pointer: JsonPointer
  /** `detector`: no policy asked for it, so every eligible voter may reveal it. */
  readonly by: 'policy' | 'detector'
}

export interface RedactionOptions {
  /** RFC 6901; those that point at nothing hide nothing. @default [] */
  readonly pointers?: readonly JsonPointer[] | undefined
  /** Prefix of the HMAC of a value's canonical text under the secret of the intent. */
  readonly hmacPrefix: (value: Json) => string
}

export interface RedactedView {
  readonly params: JsonObject
  /** In document order, outermost only: what lies inside a hidden value is hidden with it. */
  readonly redacted: readonly Redaction[]
}

/** The view of params (or of a result), by the paths of the policy and the default detectors. */
export function redactView(params: JsonObject, { pointers = [], hmacPrefix }: RedactionOptions): RedactedView {
  const redacted: Redaction[] = []
  const walk: Walk = { hmacPrefix, redacted }
  // Whatever stands in the place of the root is an object too.
  return { params: redact(params, '', pathsOf(pointers), walk) as JsonObject, redacted }
}

/** The same for what the caller claims (context, metadata): by detectors alone, since paths are about params. */
export function redactClaims(claims: JsonObject, { hmacPrefix }: Pick<RedactionOptions, 'hmacPrefix'>): RedactedView {
  return redactView(claims, { hmacPrefix })
}

interface Walk {
  readonly hmacPrefix: (value: Json) => string
  readonly redacted: Redaction[]
}

/** The paths of a policy as a tree; `hidden` at the end of a path. */
interface Paths {
  hidden: boolean
  readonly steps: Map<string, Paths>
}

function redact(value: Json, pointer: JsonPointer, paths: Paths | undefined, walk: Walk): Json {
  const by = paths?.hidden ? 'policy' : isSecretValue(value) || isForged(value) ? 'detector' : undefined
  if (by !== undefined) return hide(value, pointer, by, paths, walk)
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) {
    return value.map((item: Json, index) => redact(item, `${pointer}/${index}`, paths?.steps.get(String(index)), walk))
  }
  const members = Object.entries(value as JsonObject).map(([member, item]): [string, Json] => {
    const inner = paths?.steps.get(member)
    const at: JsonPointer = `${pointer}${pointerStep(member)}`
    const named = !inner?.hidden && isSecretName(member, item)
    return [member, named ? hide(item, at, 'detector', inner, walk) : redact(item, at, inner, walk)]
  })
  return Object.fromEntries(members)
}

function hide(
  value: Json,
  pointer: JsonPointer,
  by: Redaction['by'],
  paths: Paths | undefined,
  walk: Walk,
): RedactedValue {
  // A detector's find may be revealed by anyone who may vote: not when the policy hides something inside it.
  walk.redacted.push({ pointer, by: by === 'detector' && reaches(value, paths) ? 'policy' : by })
  return { [REDACTED]: { ...shapeOf(value), hmac: walk.hmacPrefix(value) } }
}

/** Whether any path of the policy ends inside this value. */
function reaches(value: Json, paths: Paths | undefined): boolean {
  if (paths === undefined) return false
  if (paths.hidden) return true
  if (value === null || typeof value !== 'object') return false
  for (const [step, inner] of paths.steps) {
    if (Object.hasOwn(value, step) && reaches((value as JsonObject)[step] as Json, inner)) return true
  }
  return false
}

function shapeOf(value: Json): { type: RedactedValue[typeof REDACTED]['type']; length: number | null } {
  if (value === null) return { type: 'null', length: null }
  if (Array.isArray(value)) return { type: 'array', length: value.length }
  switch (typeof value) {
    case 'string':
      return { type: 'string', length: [...value].length }
    case 'number':
      return { type: 'number', length: String(value).length }
    case 'boolean':
      return { type: 'boolean', length: null }
    default:
      return { type: 'object', length: Object.keys(value).length }
  }
}

/** An object that an approver could take for a hidden value. */
function isForged(value: Json): boolean {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false
  return Object.keys(value).some((member) => plain(member) === REDACTED)
}

/** As it looks on a screen: full-width letters, capitals and invisible characters make no difference. */
function plain(member: string): string {
  return member.normalize('NFKC').replace(INVISIBLE, '').trim().toLowerCase()
}

const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}]/gu

function pathsOf(pointers: readonly JsonPointer[]): Paths {
  const root: Paths = { hidden: false, steps: new Map() }
  for (const pointer of pointers) {
    let node = root
    for (const step of pointer.split('/').slice(1)) {
      const member = step.replaceAll('~1', '/').replaceAll('~0', '~')
      let next = node.steps.get(member)
      if (next === undefined) {
        next = { hidden: false, steps: new Map() }
        node.steps.set(member, next)
      }
      node = next
    }
    node.hidden = true
  }
  return root
}
