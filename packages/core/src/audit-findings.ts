/**
 * Findings: what is wrong with a log, each with the leaf, its place and the exact field.
 *
 * @module
 */

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
  /** In the order in which they were found; at most 100. */
  readonly list: readonly AuditFinding[]
  /** All of them. */
  readonly count: number
  readonly tampered: boolean
  add(kind: AuditFinding['kind'], at: Partial<LeafPlace> | undefined, field: string, reason: string): void
}

/** What an attacker can make of it must fit into memory and on a page. */
export const MOST_FINDINGS = 100

export function auditFindings(): AuditFindings {
  const list: AuditFinding[] = []
  let count = 0
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
  }
}
