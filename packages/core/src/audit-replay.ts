/**
 * The replay of a log: whether what its events say could have happened. Nothing is approved without its quorum of votes or a policy
 * that approves by itself, no permit is issued without an approval, and none is redeemed that was not issued, or twice.
 *
 * It keeps a few words for each intent, and more only while one is under way.
 *
 * @module
 */
import type { Flaw, LeafBody, LeafEvent } from './audit-line.js'
import type { Json } from './json.js'

export interface AuditReplay {
  /** What of the next leaf cannot have happened; `field` as `events/<n>/…`. */
  next(body: LeafBody): readonly Flaw[]
}

export interface AuditReplayOptions {
  /** Of one intent only: events of others are not looked at. @default all */
  readonly intentId?: string | undefined
}

export function auditReplay({ intentId }: AuditReplayOptions = {}): AuditReplay {
  const intents = new Map<string, Course | 'settled'>()
  const permits = new Set<string>()
  return {
    next(body) {
      const flaws: Flaw[] = []
      body.events.forEach((event, index) => {
        const flaw = (member: string, reason: string): void => {
          flaws.push({ field: `events/${index}/${member}`, reason })
        }
        if (event.intent_id === null) {
          if (OF_AN_INTENT.test(event.type)) flaw('intent_id', 'it names no intent')
          return
        }
        if (intentId !== undefined && event.intent_id !== intentId) return
        if (event.type === 'intent.created') {
          if (intents.has(event.intent_id)) flaw('intent_id', 'the intent was created before')
          else intents.set(event.intent_id, opened(event, flaw))
          return
        }
        if (!OF_AN_INTENT.test(event.type)) return
        const course = intents.get(event.intent_id)
        if (course === undefined) flaw('intent_id', 'the intent was not created')
        else if (course === 'settled') flaw('type', 'the intent was settled before')
        else if (step(course, permits, event, body, flaw) === 'settled') intents.set(event.intent_id, 'settled')
      })
      return flaws
    },
  }
}

/** What of an intent decides whether the next event can follow. */
interface Course {
  readonly verdict: Json | undefined
  readonly required: number
  readonly declaredBy: Json | undefined
  readonly intentHash: Json | undefined
  status: 'pending' | 'approved' | 'abandoned'
  readonly votes: Map<string, { readonly verdict: Json | undefined; readonly edited: boolean }>
  readonly permits: Set<string>
  redeemed: boolean
}

type Report = (member: string, reason: string) => void

/** Events that an intent has only while it is there; others may come whenever somebody looks at it. */
const OF_AN_INTENT = /^(?:intent|approval|permit|execution)\./

function opened({ data }: LeafEvent, flaw: Report): Course {
  const { decision, approvals_required: required, declared_by: declaredBy, intent_hash: intentHash } = data
  if (decision !== 'require_approval' && decision !== 'auto_approve' && decision !== 'auto_deny') {
    flaw('data/decision', 'it is no verdict of a policy')
  }
  const counted = typeof required === 'number' && Number.isSafeInteger(required) && required >= 0
  if (!counted) flaw('data/approvals_required', 'it is no quorum')
  return {
    verdict: decision,
    required: counted ? required : Number.POSITIVE_INFINITY,
    declaredBy,
    intentHash,
    status: 'pending',
    votes: new Map(),
    permits: new Set(),
    redeemed: false,
  }
}

function step(
  course: Course,
  issued: Set<string>,
  { type, data }: LeafEvent,
  { actor }: LeafBody,
  flaw: Report,
): 'settled' | undefined {
  const votes = [...course.votes.values()]
  switch (type) {
    case 'approval.recorded':
      recorded(course, data, actor, flaw)
      return
    case 'intent.approved':
      approved(course, data, flaw)
      return
    case 'intent.denied':
      if (data.by === 'policy' && course.verdict !== 'auto_deny') flaw('data/by', 'no policy denied it by itself')
      if (data.by === 'person' && data.earlier_intent === undefined && !votes.some(isAgainst)) {
        flaw('data/by', 'nobody voted against it')
      }
      return settled(course, flaw)
    case 'intent.changes_requested':
      if (!votes.some(({ verdict }) => verdict === 'request_changes')) flaw('type', 'nobody asked for changes')
      return settled(course, flaw)
    case 'intent.superseded':
      if (!votes.some(({ edited }) => edited)) flaw('type', 'nobody edited it')
      return settled(course, flaw)
    case 'intent.expired':
    case 'intent.cancelled':
      return settled(course, flaw)
    case 'permit.issued':
      if (course.status !== 'approved') flaw('type', 'a permit without an approval')
      if (typeof data.permit_id !== 'string') {
        flaw('data/permit_id', 'it names no permit')
        return
      }
      if (issued.has(data.permit_id)) flaw('data/permit_id', 'the permit was issued before')
      issued.add(data.permit_id)
      course.permits.add(data.permit_id)
      return
    case 'permit.redeemed':
      if (!course.permits.has(String(data.permit_id))) flaw('data/permit_id', 'the permit was not issued')
      if (data.replayed !== course.redeemed) {
        flaw('data/replayed', course.redeemed ? 'the approval was redeemed before' : 'nothing was redeemed before')
      }
      course.redeemed = true
      return
    case 'execution.started':
      if (course.status !== 'approved') flaw('type', 'an execution without an approval')
      return
    case 'execution.abandoned':
      if (course.status !== 'approved') flaw('type', 'there is no approval to abandon')
      course.status = 'abandoned'
      return
  }
}

function settled({ status }: Course, flaw: Report): 'settled' {
  if (status !== 'pending') flaw('type', 'the intent was settled before')
  return 'settled'
}

function isAgainst({ verdict }: { readonly verdict: Json | undefined }): boolean {
  return verdict === 'deny' || verdict === 'request_changes'
}

function recorded(course: Course, data: LeafEvent['data'], actor: string, flaw: Report): void {
  const { by, verdict, intent_hash: intentHash, edited } = data
  if (course.status !== 'pending') flaw('type', 'a vote on a settled intent')
  if (typeof by !== 'string') {
    flaw('data/by', 'it names no person')
    return
  }
  if (by !== actor) flaw('data/by', 'somebody else wrote this vote')
  if (by === course.declaredBy) flaw('data/by', 'who declared the intent votes on it')
  if (intentHash !== course.intentHash) flaw('data/intent_hash', 'the vote is on another view')
  if (course.votes.has(by)) flaw('data/by', 'the same person votes twice')
  else course.votes.set(by, { verdict, edited: edited === true })
}

function approved(course: Course, { by, approvals }: LeafEvent['data'], flaw: Report): void {
  if (course.status !== 'pending') flaw('type', 'the intent was settled before')
  course.status = 'approved'
  if (by === 'policy') {
    if (course.verdict !== 'auto_approve') flaw('data/by', 'no policy approved it by itself')
    return
  }
  if (by !== 'person') flaw('data/by', 'neither a policy nor people approved it')
  if (course.verdict !== 'require_approval') flaw('data/by', 'its policy asked nobody')
  const named = Array.isArray(approvals) ? (approvals as readonly Json[]) : []
  const counted = new Set(named)
  const gave = (one: Json): boolean => {
    const vote = course.votes.get(String(one))
    return vote?.verdict === 'approve' && !vote.edited
  }
  if (![...counted].every(gave)) flaw('data/approvals', 'it counts an approval that nobody gave')
  if (counted.size !== named.length) flaw('data/approvals', 'it counts somebody twice')
  if (counted.size < Math.max(1, course.required)) {
    flaw('data/approvals', `${counted.size} approvals, and ${course.required} are required`)
  }
}
