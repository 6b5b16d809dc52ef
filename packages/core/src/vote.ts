/**
 * Votes: one person, one vote, final. Who may vote, and whether the votes make a decision (LIFECYCLE I9 to I11), is
 * judged with the people who qualify now, under the policy pinned in the view and the current one.
 *
 * @module
 */
import type { ApprovalRule } from './approval-rule.js'
import type { Declaration } from './declaration.js'
import { delegatorsOf, mayStandIn } from './delegation.js'
import type { ErrorCode } from './errors.js'
import { accountsOf, humanOf } from './human.js'
import type { UserId } from './id.js'
import type { Via } from './intent.js'
import type { Digest, EpochMs, JsonObject, JsonPointer } from './json.js'
import type { Agent, Directory, Person, Principal, Project, ProjectKey } from './registry.js'
import { confirmationText } from './view.js'

export interface Vote {
  readonly verdict: 'approve' | 'deny' | 'request_changes'
  /** Computed from what was rendered; else `STALE_VIEW`. */
  readonly intentHash: Digest
  readonly comment?: string | undefined
  /** Where typed confirmation is asked for: exactly `<action> <last 4 characters of params_digest>`. */
  readonly confirm?: string | undefined
  /** Approve with edits: the gate declares a successor with these params. */
  readonly params?: JsonObject | undefined
}

export interface CastVote {
  readonly by: UserId
  readonly label: string
  /** Whose seat it takes, where the voter stood in for somebody by a delegation that held then. @default the voter's own */
  readonly onBehalfOf?: { readonly id: UserId; readonly label: string } | undefined
  readonly verdict: Vote['verdict']
  readonly comment: string | undefined
  readonly at: EpochMs
  readonly via: Via
  /** Whether the typed confirmation came with it. */
  readonly confirmed: boolean
  /** Hidden values that this person had not revealed. */
  readonly unseen: readonly JsonPointer[]
  readonly edited: boolean
}

export type CanVote =
  | {
      readonly ok: true
      readonly code: undefined
      readonly reason: undefined
      /** In whose stead, where this person may vote by delegation only. */
      readonly onBehalfOf?: Person | undefined
    }
  | { readonly ok: false; readonly code: ErrorCode; readonly reason: string }

/** What the transaction read to judge a vote or a claim; all of it is as it is now. */
export interface Bench {
  /** By the clock of the store. */
  readonly now: EpochMs
  readonly directory: Directory
  /** The agent that the intent names, when one is registered. */
  readonly agent: Agent | undefined
  readonly key: ProjectKey | undefined
  /** Demands that hold together: of the pinned policy, first, and of the current one unless it approves by itself. */
  readonly rules: readonly ApprovalRule[]
  /** The current policy denies: no approval counts any more, a denial still does. */
  readonly denied: boolean
  /** High or critical, and no policy allows unseen values: a counted voter must have revealed each hidden value. */
  readonly mustSee: boolean
  /** What votes and permits call an approver. */
  readonly labels: Project['approverLabels']
}

/** Rule 6 of the design: nobody approves what they asked for. */
export function isExcluded(person: Person, declaration: Declaration, bench: Bench): boolean {
  const { chain } = declaration
  const asked = new Set<string>([...chain.excluded])
  if (bench.agent?.owner) asked.add(bench.agent.owner)
  if (bench.key && bench.key.createdBy !== 'system:setup') asked.add(bench.key.createdBy)
  const named = new Set([declaration.requestedBy, ...chain.requestedBy].map((name) => name?.toLowerCase()))
  const mayEdit =
    (declaration.riskTier === 'low' || declaration.riskTier === 'medium') &&
    bench.rules.length > 0 &&
    bench.rules.every((rule) => rule.editorMayApprove)
  if (!mayEdit) for (const editor of chain.editors) asked.add(editor)
  const accounts = accountsOf(person.id, bench.directory)
  const emails = bench.directory.people.filter(({ id }) => accounts.includes(id)).map(({ email }) => email)
  return accounts.some((id) => asked.has(id)) || [...accounts, ...emails].some((name) => named.has(name.toLowerCase()))
}

/** Whether the rule lets this person vote at all; `approvers` of the draft narrows it further. */
export function qualifies(person: Person, declaration: Declaration, rule: ApprovalRule): boolean {
  if (person.status !== 'active') return false
  const names = rule.allowedApprovers
  const allowed = names
    ? isNamed(person, names) || rule.allOf.some(({ group }) => person.groups.includes(group))
    : person.roles.some((role) => role === 'owner' || role === 'admin' || role === 'approver') ||
      rule.allOf.some(({ group }) => person.groups.includes(group))
  return allowed && (declaration.approvers.length === 0 || isNamed(person, declaration.approvers))
}

export function isNamed(person: Person, names: readonly string[]): boolean {
  return names.some(
    (name) => name === person.id || name.toLowerCase() === person.email.toLowerCase() || person.groups.includes(name),
  )
}

/** Whether this person may cast a vote, and with which error not. An excluded person may not even deny. */
export function canVote(
  principal: Principal,
  declaration: Declaration,
  votes: readonly CastVote[],
  bench: Bench,
  verdict: Vote['verdict'] = 'approve',
): CanVote {
  const person = bench.directory.people.find(({ id }) => id === principal.id)
  if (person?.status !== 'active') return no('NOT_AN_APPROVER', 'this account is not active here')
  const hasSpoken = ({ id }: Person) => {
    const accounts = accountsOf(id, bench.directory)
    return votes.some((vote) => accounts.includes(vote.by) || accounts.includes(seatOf(vote)))
  }
  if (hasSpoken(person)) return no('ALREADY_VOTED', 'this person has voted, or somebody did in their stead')
  if (isExcluded(person, declaration, bench)) {
    return no('SELF_APPROVAL', 'this person asked for it, owns the agent or its key, or edited the params')
  }
  const mayVote = (voter: Person) =>
    bench.rules.length > 0 && bench.rules.every((rule) => qualifies(voter, declaration, rule))
  let onBehalfOf: Person | undefined
  if (!mayVote(person)) {
    // In their own right, never by another delegation; and nobody gets past rule 6 by sending somebody else.
    const seats = delegatorsOf(person, bench.directory, bench.now).filter(
      (delegator) => mayVote(delegator) && !isExcluded(delegator, declaration, bench),
    )
    onBehalfOf = seats.find((delegator) => !hasSpoken(delegator))
    if (seats.length === 0) return no('NOT_AN_APPROVER', 'the policy names other approvers')
    if (!onBehalfOf) return no('ALREADY_VOTED', 'whoever this person stands in for has voted')
  }
  if (verdict === 'approve' && bench.denied) return no('POLICY_CHANGED', 'the current policy denies it')
  if (verdict === 'approve' && !bench.rules.every((rule) => rule.allowVia.includes(principal.via))) {
    return no('ASSURANCE_REQUIRED', `votes through ${principal.via} do not count for this intent`)
  }
  return { ok: true, code: undefined, reason: undefined, onBehalfOf }
}

/** True when the vote needs the text of `confirmationText`. */
export function needsConfirmation(bench: Bench): boolean {
  return bench.rules.some((rule) => rule.typedConfirmation)
}

export function isConfirmed(vote: Vote, declaration: Declaration): boolean {
  return vote.confirm === confirmationText(declaration.view)
}

/** The people whose approval counts now, under one rule. Linked accounts are one person. */
export function countedApprovals(
  declaration: Declaration,
  votes: readonly CastVote[],
  rule: ApprovalRule,
  bench: Bench,
): readonly CastVote[] {
  const { people } = bench.directory
  const counted: CastVote[] = []
  const seated = new Set<UserId>()
  for (const vote of votes) {
    const person = personOf(vote.by, people)
    const seat = personOf(seatOf(vote), people)
    if (vote.verdict !== 'approve' || vote.edited || !person || !seat) continue
    if (isExcluded(person, declaration, bench) || isExcluded(seat, declaration, bench)) continue
    // The delegation held when the vote was cast; both still have to be whom it takes.
    if (!qualifies(seat, declaration, rule) || (seat !== person && !mayStandIn(person))) continue
    if (!rule.allowVia.includes(vote.via)) continue
    if (rule.typedConfirmation && !vote.confirmed) continue
    const humans = [person, seat].map(({ id }) => humanOf(id, bench.directory))
    if (humans.some((human) => seated.has(human))) continue
    for (const human of humans) seated.add(human)
    counted.push(vote)
  }
  return counted
}

/** Whether these votes satisfy one rule: enough people, and enough of each demanded group. */
export function satisfies(
  declaration: Declaration,
  votes: readonly CastVote[],
  rule: ApprovalRule,
  bench: Bench,
): boolean {
  const counted = countedApprovals(declaration, votes, rule, bench)
  if (counted.length < rule.approversRequired) return false
  const groupsOf = (vote: CastVote): readonly string[] => personOf(seatOf(vote), bench.directory.people)?.groups ?? []
  return rule.allOf.every(
    ({ group, count }) => counted.filter((vote) => groupsOf(vote).includes(group)).length >= count,
  )
}

export type Tally = 'pending' | 'approved' | 'denied' | 'changes_requested'

/** I9: denies first, then a request for changes, then quorum under every rule. What denies under one rule, denies. */
export function tally(declaration: Declaration, votes: readonly CastVote[], bench: Bench): Tally {
  const thresholds = bench.rules.map((rule) => rule.denyThreshold)
  const threshold = thresholds.length === 0 ? 1 : Math.min(...thresholds)
  const denies = votes.filter(({ verdict }) => verdict === 'deny').length
  const changes = votes.filter(({ verdict }) => verdict === 'request_changes').length
  if (denies + (threshold > 1 ? changes : 0) >= threshold) return 'denied'
  if (threshold === 1 && changes > 0) return 'changes_requested'
  if (bench.denied || bench.rules.length === 0) return 'pending'
  const enough = bench.rules.every((rule) => satisfies(declaration, votes, rule, bench))
  return enough ? 'approved' : 'pending'
}

/** The approvals that a permit names: those that count under the pinned policy, which it names too. */
export function namedApprovals(
  declaration: Declaration,
  votes: readonly CastVote[],
  bench: Bench,
): readonly CastVote[] {
  const [pinned] = bench.rules
  return pinned ? countedApprovals(declaration, votes, pinned, bench) : []
}

/** Hidden values that no counted approver has seen; for high and critical they hold the decision up. */
export function unseenByAll(
  declaration: Declaration,
  votes: readonly CastVote[],
  bench: Bench,
): readonly JsonPointer[] {
  if (!bench.mustSee) return []
  const counted = namedApprovals(declaration, votes, bench)
  return declaration.view.redacted.filter((pointer) => counted.every((vote) => vote.unseen.includes(pointer)))
}

/** I9: true when those who are left cannot reach quorum. The intent stays pending, and the inbox says so. */
export function quorumOutOfReach(declaration: Declaration, votes: readonly CastVote[], bench: Bench): boolean {
  if (bench.denied) return true
  const voted = new Set(seatsOf(votes))
  const { people } = bench.directory
  return bench.rules.some((rule) => {
    const counted = countedApprovals(declaration, votes, rule, bench)
    const humans = new Set(seatsOf(counted).map((id) => humanOf(id, bench.directory)))
    const left = new Map<UserId, Person>()
    for (const person of people) {
      const human = humanOf(person.id, bench.directory)
      const spoken = accountsOf(person.id, bench.directory).some((id) => voted.has(id))
      if (spoken || humans.has(human) || isExcluded(person, declaration, bench)) continue
      if (bench.rules.every((each) => qualifies(person, declaration, each))) left.set(human, person)
    }
    if (counted.length + left.size < rule.approversRequired) return true
    return rule.allOf.some(({ group, count }) => {
      const have = counted.filter((vote) => personOf(seatOf(vote), people)?.groups.includes(group)).length
      return have + [...left.values()].filter((person) => person.groups.includes(group)).length < count
    })
  })
}

/** Everybody who has no further vote after these: a delegate and who they stood in for are one seat. */
export function seatsOf(votes: readonly CastVote[]): readonly UserId[] {
  return votes.flatMap(({ by, onBehalfOf }) => (onBehalfOf ? [by, onBehalfOf.id] : [by]))
}

function seatOf({ by, onBehalfOf }: CastVote): UserId {
  return onBehalfOf?.id ?? by
}

function personOf(id: UserId, people: readonly Person[]): Person | undefined {
  return people.find((person) => person.id === id)
}

function no(code: ErrorCode, reason: string): CanVote {
  return { ok: false, code, reason }
}
