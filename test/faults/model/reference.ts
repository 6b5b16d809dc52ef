/**
 * The reference: what the rules of docs/lifecycle.md say of each action, written from their text alone and as plainly as they are, so
 * that whatever the gate does otherwise is a mistake of one of the two.
 *
 * An answer is `ok`, `refused`, or what a claim, a redemption or a declare says. Which refusal it is does not matter here: that
 * it is one, and that nothing else changed, does.
 *
 * @module
 */
import { type Action, type PersonName, type PolicyName, TERMS, type Verdict } from './action.ts'

export interface Reference {
  /** Seconds. */
  now: number
  intents: Intent[]
  policy: PolicyName
  /** Until then nothing is approved by policy alone (R2). */
  cautiousUntil: number
  agentPaused: boolean
  away: PersonName[]
}

interface Intent {
  status: 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled' | 'changes_requested' | 'superseded'
  readonly policy: PolicyName
  readonly delivery: 'claim' | 'token'
  readonly reenters: boolean
  readonly idempotent: boolean
  readonly edits: boolean
  readonly expiresAt: number
  readonly editors: PersonName[]
  votes: { by: PersonName; verdict: Verdict | 'edit' }[]
  useUntil?: number
  supersededBy?: number
  run: Run
  permits: { exp: number; revoked: boolean }[]
  redemptions: { id: string; permit: number; replayed: boolean }[]
}
interface Run {
  state: 'none' | 'started' | 'suspended' | 'succeeded' | 'failed' | 'unknown' | 'abandoned' | 'delivered'
  continuations: number
  grants: number
  holder?: { execution: string; attempt: string }
  deadline?: number
  /** Who said what of this run. */
  reports: { agent?: Final; verifier?: Final; person?: Final }
  disputed: boolean
  withdrawn: boolean
  /** Suspended when its window ended. */
  late: boolean
}
type Final = 'succeeded' | 'failed'

/** What everybody can see of an intent; the same of the gate must be equal. */
export interface Seen {
  readonly status: string
  readonly execution: string
  readonly continuations: number
  readonly deadline: number | undefined
  readonly reportedBy: string | undefined
  readonly disputed: boolean
  readonly useUntil: number | undefined
  readonly votes: readonly string[]
  /** When each expires. */
  readonly permits: readonly number[]
  readonly redemptions: readonly string[]
  readonly supersededBy: number | undefined
  /** Its last permit could be used, were it not over. */
  readonly live: boolean
  readonly withdrawn: boolean
  /** A permit in the answer to a read. */
  readonly shown: boolean
}

/** Carries the action out. @returns the answer */
export function act(world: Reference, action: Action): string {
  switch (action.type) {
    case 'tick':
      world.now += action.seconds
      return 'ok'
    case 'sweep':
      return 'ok'
    case 'restore':
      return restore(world)
    case 'agent':
      world.agentPaused = action.paused
      return 'ok'
    case 'policy':
      world.policy = action.policy
      return 'ok'
    case 'person':
      world.away = world.away.filter((name) => name !== action.person)
      if (!action.active) world.away.push(action.person)
      return 'ok'
    case 'declare':
      return declare(world, action)
    case 'repeat':
      // The agent's status is enforced on every submission.
      return world.agentPaused || action.changed ? 'refused' : `intent ${action.intent}`
    case 'vote':
    case 'edit':
      return vote(world, intentAt(world, action.intent), action)
    case 'cancel':
      return cancel(world, intentAt(world, action.intent))
    case 'claim':
      return claim(world, intentAt(world, action.intent), action)
    case 'report':
      return report(intentAt(world, action.intent), action)
    case 'redeem':
      return redeem(world, intentAt(world, action.intent), action)
    case 'verify': {
      const permit = intentAt(world, action.intent).permits[action.permit]
      const good = permit && !permit.revoked && world.now < permit.exp + TERMS.skew && !world.agentPaused
      return good ? 'ok' : 'refused'
    }
    case 'log':
      return log(intentAt(world, action.intent), action.status)
    case 'withdraw':
      return withdraw(world, intentAt(world, action.intent), action.by)
    case 'reconcile':
      return reconcile(world, intentAt(world, action.intent), action)
  }
}

export function see(world: Reference): readonly Seen[] {
  return world.intents.map((_, index) => {
    const intent = intentAt(world, index)
    const { run } = intent
    const permit = intent.permits.at(-1)
    const usable = permit && !permit.revoked && world.now < permit.exp && intent.redemptions.length === 0
    return {
      status: intent.status,
      execution: run.state,
      continuations: run.continuations,
      deadline: run.state === 'started' ? run.deadline : undefined,
      reportedBy: spokesman(run),
      disputed: run.disputed,
      useUntil: intent.useUntil,
      votes: intent.votes.map(({ by, verdict }) => `${by} ${verdict}`).sort(),
      permits: intent.permits.map(({ exp }) => exp),
      redemptions: intent.redemptions.map(({ id, permit, replayed }) => `${id} ${permit} ${replayed}`),
      supersededBy: intent.supersededBy,
      live: (run.state === 'started' || run.state === 'delivered') && permit?.revoked === false,
      withdrawn: run.withdrawn,
      shown: run.state === 'delivered' && usable === true && !world.agentPaused && stillApproved(world, intent),
    }
  })
}

/** As the clock has it now: I7, E4, E16. */
function intentAt(world: Reference, index: number): Intent {
  const intent = world.intents[index]
  if (!intent) throw new TypeError(`there is no intent ${index}`)
  const { run } = intent
  if (intent.status === 'pending' && world.now >= intent.expiresAt) intent.status = 'expired'
  const windowOver = intent.useUntil !== undefined && world.now >= intent.useUntil
  if (run.state === 'none' && windowOver) end(intent, 'abandoned')
  if (run.state === 'started' && world.now >= (run.deadline ?? 0)) end(intent, 'unknown')
  if (run.state === 'suspended' && windowOver) {
    end(intent, 'unknown')
    run.late = true
  }
  return intent
}

/** I1, I13. */
function declare(world: Reference, action: Extract<Action, { type: 'declare' }>): string {
  if (world.agentPaused) return 'refused'
  const before = action.supersedes === undefined ? undefined : intentAt(world, action.supersedes)
  if (before?.status === 'approved' && !['none', 'abandoned'].includes(before.run.state)) return 'refused'
  if (before?.status === 'pending') before.status = 'cancelled'
  else if (before?.status === 'approved') end(before, 'abandoned')
  const edited = before?.votes.filter(({ verdict }) => verdict === 'edit').map(({ by }) => by) ?? []
  open(world, action, [...(before?.editors ?? []), ...edited])
  return `intent ${world.intents.length - 1}`
}

function open(
  world: Reference,
  { delivery, reenters, idempotent, edits }: Pick<Intent, 'delivery' | 'reenters' | 'idempotent' | 'edits'>,
  editors: readonly PersonName[],
): void {
  const policy = policyNow(world)
  const intent: Intent = {
    status: policy === 'never' ? 'denied' : 'pending',
    policy,
    delivery,
    reenters,
    idempotent,
    edits,
    expiresAt: world.now + TERMS.expiresIn,
    editors: [...editors],
    votes: [],
    run: { state: 'none', continuations: 0, grants: 0, reports: {}, disputed: false, withdrawn: false, late: false },
    permits: [],
    redemptions: [],
  }
  world.intents.push(intent)
  if (policy === 'auto') approve(world, intent)
}

/** I2, P1, P2. */
function approve(world: Reference, intent: Intent): void {
  intent.status = 'approved'
  intent.useUntil = world.now + TERMS.window
  if (intent.delivery === 'claim') return
  intent.run.state = 'delivered'
  mint(world, intent)
}

function mint(world: Reference, intent: Intent): void {
  for (const permit of intent.permits) permit.revoked = true
  intent.permits.push({ exp: Math.min(world.now + TERMS.ttl, intent.useUntil ?? 0), revoked: false })
}

/** Over, one way or the other: no permit of it is good any more. */
function end(intent: Intent, state: Run['state']): void {
  intent.run.state = state
  for (const permit of intent.permits) permit.revoked = true
}

const humanOf = (name: PersonName): PersonName => (name === 'annAgain' ? 'ann' : name)
/** I11. */
const asked = (intent: Intent, name: PersonName): boolean =>
  name === 'olga' || intent.editors.some((editor) => humanOf(editor) === humanOf(name))
const mayVote = (world: Reference, intent: Intent, name: PersonName): boolean =>
  !world.away.includes(name) && !asked(intent, name)

const policyNow = ({ policy, now, cautiousUntil }: Reference): PolicyName =>
  policy === 'auto' && now < cautiousUntil ? 'one' : policy

/** Of the policy pinned in the view and of the current one, those that want people. */
function demands(world: Reference, intent: Intent): readonly PolicyName[] {
  return [intent.policy, policyNow(world)].filter((policy) => policy !== 'auto' && policy !== 'never')
}
const quorumOf = (policy: PolicyName): number => (policy === 'two' ? 2 : 1)
const deniesOf = (policy: PolicyName): number => (policy === 'patient' ? 2 : 1)

function quorumReached(world: Reference, intent: Intent): boolean {
  const approving = intent.votes.filter(({ by, verdict }) => verdict === 'approve' && mayVote(world, intent, by))
  const humans = new Set(approving.map(({ by }) => humanOf(by)))
  const wanted = demands(world, intent).map(quorumOf)
  return wanted.length > 0 && humans.size >= Math.max(...wanted)
}

/** E8. */
function stillApproved(world: Reference, intent: Intent): boolean {
  if (world.policy === 'never') return false
  return (intent.policy === 'auto' && policyNow(world) === 'auto') || quorumReached(world, intent)
}

/** I2 to I5, I8 to I12. */
function vote(world: Reference, intent: Intent, action: Extract<Action, { type: 'vote' | 'edit' }>): string {
  const { by } = action
  const verdict = action.type === 'edit' ? 'edit' : action.verdict
  const approving = verdict === 'approve' || verdict === 'edit'
  if (intent.status !== 'pending' || !mayVote(world, intent, by)) return 'refused'
  if (intent.votes.some((earlier) => humanOf(earlier.by) === humanOf(by))) return 'refused'
  if (approving && (world.agentPaused || world.policy === 'never')) return 'refused'
  const thresholds = demands(world, intent).map(deniesOf)
  if (verdict === 'edit' && (!intent.edits || Math.max(...thresholds) > 1)) return 'refused'

  intent.votes.push({ by, verdict })
  if (verdict === 'edit') {
    intent.status = 'superseded'
    intent.supersededBy = world.intents.length
    open(world, intent, [...intent.editors, by])
    return 'ok'
  }
  const threshold = Math.min(...thresholds)
  const denies = intent.votes.filter((cast) => cast.verdict === 'deny').length
  const changes = intent.votes.filter((cast) => cast.verdict === 'request_changes').length
  if (denies + (threshold > 1 ? changes : 0) >= threshold) intent.status = 'denied'
  else if (changes > 0 && threshold === 1) intent.status = 'changes_requested'
  else if (world.policy !== 'never' && quorumReached(world, intent)) approve(world, intent)
  return 'ok'
}

/** I6, E14. */
function cancel(_: Reference, intent: Intent): string {
  if (intent.status === 'pending') {
    intent.status = 'cancelled'
    return 'ok'
  }
  if (intent.status !== 'approved') return 'refused'
  switch (intent.run.state) {
    case 'none':
      end(intent, 'abandoned')
      return 'ok'
    case 'suspended':
      end(intent, 'unknown')
      return 'ok'
    case 'delivered':
      end(intent, 'delivered')
      return 'ok'
    case 'started':
    case 'unknown':
    case 'succeeded':
    case 'failed':
    case 'abandoned':
      return 'refused'
  }
}

/** E1 to E3, E6 to E8, E11 to E13, E20. */
function claim(world: Reference, intent: Intent, action: Extract<Action, { type: 'claim' }>): string {
  const { run } = intent
  if (intent.status !== 'approved' || intent.delivery === 'token') return 'refused'
  const { execution, attempt } = action
  const again =
    intent.idempotent &&
    !run.withdrawn &&
    run.holder?.execution === execution &&
    world.now < (intent.useUntil ?? 0) &&
    run.grants - run.continuations <= TERMS.runsAgain
  switch (run.state) {
    case 'delivered':
      throw new TypeError('only tokens are delivered')
    case 'abandoned':
      return 'closed'
    case 'succeeded':
      return 'recorded'
    case 'failed':
    case 'unknown':
      if (!again) return run.state === 'failed' ? 'recorded' : run.late ? 'closed' : 'unknown'
      return world.agentPaused || !stillApproved(world, intent) ? 'refused' : grant(world, intent, action)
    case 'started': {
      if (run.holder?.execution !== execution || run.holder.attempt !== attempt) return `running ${run.deadline}`
      const last = intent.permits.length - 1
      const permit = intent.permits[last]
      const used = intent.redemptions.some((redemption) => redemption.permit === last)
      if (!permit || permit.revoked || used || world.now >= permit.exp) return 'closed'
      return world.agentPaused || !stillApproved(world, intent) ? 'refused' : granted(intent)
    }
    case 'suspended': {
      const continued =
        run.holder?.execution === execution &&
        run.holder.attempt !== attempt &&
        action.continues === run.continuations &&
        intent.redemptions.length === 0 &&
        !run.withdrawn
      if (!continued) return 'closed'
      if (world.agentPaused) return 'refused'
      if (stillApproved(world, intent)) return grant(world, intent, action)
      end(intent, 'unknown')
      return 'refused'
    }
    case 'none':
      if (world.agentPaused) return 'refused'
      if (stillApproved(world, intent)) return grant(world, intent, action)
      end(intent, 'abandoned')
      return 'refused'
  }
}

function grant(world: Reference, intent: Intent, { execution, attempt }: Extract<Action, { type: 'claim' }>): string {
  const { run } = intent
  mint(world, intent)
  run.state = 'started'
  run.holder = { execution, attempt }
  run.deadline = world.now + TERMS.deadline
  run.grants++
  run.reports = {}
  return granted(intent)
}

function granted({ permits, useUntil }: Intent): string {
  return `granted ${permits.length - 1} until ${permits.at(-1)?.exp}, ${useUntil}`
}

/** E5, E9, E10. */
function report(intent: Intent, action: Extract<Action, { type: 'report' }>): string {
  const { run } = intent
  const { execution, attempt, status } = action
  if (intent.status !== 'approved') return 'refused'
  if (run.holder?.execution !== execution || run.holder.attempt !== attempt) return 'refused'
  switch (status) {
    case 'succeeded':
    case 'failed':
      if (run.reports.agent === status) return 'ok'
      if (run.reports.agent !== undefined) return 'refused'
      if (!['started', 'unknown', 'succeeded', 'failed'].includes(run.state)) return 'refused'
      return finish(intent, 'agent', status)
    case 'suspended':
      if (run.state === 'suspended') return 'ok'
      if (!intent.reenters || run.state !== 'started' || run.continuations >= 20) return 'refused'
      end(intent, 'suspended')
      run.continuations++
      return 'ok'
    case 'not_started':
      if (run.state === 'abandoned') return 'ok'
      if (run.state !== 'started' || intent.redemptions.length > 0) return 'refused'
      // An earlier grant may have entered the tool: docs/decisions/0002.
      end(intent, run.grants > 1 ? 'unknown' : 'abandoned')
      return 'ok'
  }
}

/** E9, E17, E19: every report is kept; the verifier's outranks the person's, and that the agent's. */
function finish(intent: Intent, by: 'agent' | 'verifier' | 'person', status: Final): string {
  const { run } = intent
  const ended = run.state === 'abandoned' || run.state === 'suspended'
  run.reports[by] = status
  if (new Set(Object.values(run.reports)).size > 1 || (by === 'verifier' && ended)) run.disputed = true
  end(intent, run.reports.verifier ?? run.reports.person ?? status)
  return 'ok'
}

function spokesman({ reports }: Run): string | undefined {
  return (['verifier', 'person', 'agent'] as const).find((who) => reports[who] !== undefined)
}

/** E18, E13, P3. */
function redeem(world: Reference, intent: Intent, action: Extract<Action, { type: 'redeem' }>): string {
  const { permit: index, redemption: id, optIn } = action
  const permit = intent.permits[index]
  if (!permit || world.now >= permit.exp + TERMS.skew) return 'refused'
  const before = intent.redemptions.find((redemption) => redemption.id === id)
  if (before) return before.permit === index ? redeemed(before.replayed) : 'refused'
  if (world.agentPaused) return 'refused'
  const replayed = intent.redemptions.length > 0
  const same = intent.redemptions.some((redemption) => redemption.permit === index)
  if (replayed && (same || !optIn || !intent.idempotent)) return 'refused'
  if (permit.revoked || (intent.run.state !== 'started' && intent.run.state !== 'delivered')) return 'refused'
  intent.redemptions.push({ id, permit: index, replayed })
  return redeemed(replayed)
}

const redeemed = (replayed: boolean): string => (replayed ? 'used before' : 'used')

/** E19. */
function log(intent: Intent, status: Final): string {
  const { verifier } = intent.run.reports
  if (verifier !== undefined) return verifier === status ? 'ok' : 'refused'
  return finish(intent, 'verifier', status)
}

/** E15. */
function withdraw(world: Reference, intent: Intent, by: PersonName): string {
  const { run } = intent
  if (!mayVote(world, intent, by) || intent.status !== 'approved') return 'refused'
  const mayRunAgain = run.state === 'failed' && intent.idempotent && world.now < (intent.useUntil ?? 0)
  if (['succeeded', 'failed', 'abandoned'].includes(run.state) && !mayRunAgain) return 'refused'
  end(intent, run.state === 'none' ? 'abandoned' : run.state)
  if (run.state !== 'abandoned') run.withdrawn = true
  return 'ok'
}

/** E17. */
function reconcile(world: Reference, intent: Intent, action: Extract<Action, { type: 'reconcile' }>): string {
  const { run } = intent
  const lastExp = Math.max(...intent.permits.map(({ exp }) => exp))
  if (!mayVote(world, intent, action.by) || run.state !== 'unknown') return 'refused'
  if (world.now < lastExp + TERMS.reconcileAfter) return 'refused'
  return finish(intent, 'person', action.happened ? 'succeeded' : 'failed')
}

/** R2. */
function restore(world: Reference): string {
  for (const index of world.intents.keys()) {
    const intent = intentAt(world, index)
    const { state } = intent.run
    if (intent.status === 'pending') intent.status = 'expired'
    if (intent.status !== 'approved') continue
    if (state === 'none') end(intent, 'abandoned')
    else end(intent, ['started', 'suspended', 'delivered'].includes(state) ? 'unknown' : state)
  }
  world.agentPaused = true
  world.cautiousUntil = world.now + TERMS.caution
  return 'ok'
}
