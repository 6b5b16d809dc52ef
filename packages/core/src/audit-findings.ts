/**
 * Findings: what is wrong with a log, each with the leaf, its place and the exact field.
 *
 * @module
 */
import type { SilentAuthError } from './errors.js'

export interface AuditFinding {
  /** `incomplete`: nothing contradicts, but something cannot be shown. */
  readonly kind: 'tampered' | 'incomplete'
  readonly leaf: string | undefined
  /** The place in the log. */
  readonly sequence: number | undefined
  /** A member of the line, as `body`, `payloads/params` or `events/0/data/by`; or of what came with it, as `checkpoint/size`. */
  readonly field: string
  readonly reason: string
}

/** Where a finding is. */
export interface LeafPlace {
  readonly leaf: string
  readonly sequence: number
}

export interface AuditFindings {
  /** As they were found; at most 100. */
  readonly list: readonly AuditFinding[]
  /** All of them. */
  readonly count: number
  readonly tampered: boolean
  add(kind: AuditFinding['kind'], at: Partial<LeafPlace> | undefined, field: string, reason: string): void
  /** Of what others follow from: it is listed whatever was found before. */
  addCause(at: LeafPlace, field: string, reason: string): void
  /** The list in the order of the log; at each leaf causes come before what follows from them. */
  sorted(): readonly AuditFinding[]
}

/** What a refusal says, without its code: findings have none. */
export function reasonOf({ code, message }: SilentAuthError): string {
  return message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message
}

/** What an attacker can make of it must fit into memory and on a page. */
export const MOST_FINDINGS = 100

export function auditFindings(): AuditFindings {
  const list: AuditFinding[] = []
  let count = 0
  const causes = new Set<AuditFinding>()
  let tampered = false
  return {
    list,
    get count() {
      return count
    },
    get tampered() {
      return tampered
    },
    add(kind, at, field, reason) {
      count++
      tampered ||= kind === 'tampered'
      if (list.length < MOST_FINDINGS) list.push({ kind, leaf: at?.leaf, sequence: at?.sequence, field, reason })
    },
    addCause(at, field, reason) {
      count++
      tampered = true
      if (causes.size >= MOST_FINDINGS) return
      const cause: AuditFinding = { kind: 'tampered', leaf: at.leaf, sequence: at.sequence, field, reason }
      causes.add(cause)
      if (list.length >= MOST_FINDINGS)
        list.splice(
          list.findLastIndex((finding) => !causes.has(finding)),
          1,
        )
      list.push(cause)
    },
    sorted: () =>
      list.toSorted(
        (one, other) =>
          (one.sequence ?? Number.MAX_SAFE_INTEGER) - (other.sequence ?? Number.MAX_SAFE_INTEGER) ||
          Number(causes.has(other)) - Number(causes.has(one)),
      ),
  }
}
