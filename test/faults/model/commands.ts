/**
 * The commands of the model suite. Each chooses by what is there when its turn comes, asks the gate, and looks for one order of its
 * actions in which the reference gives the same answers and ends in the same state: of one action there is only one, of
 * concurrent ones any order will do.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { type Action, PEOPLE, type PersonName, POLICIES } from './action.ts'
import { act, type Reference, type Seen, see } from './reference.ts'
import type { Subject } from './subject.ts'

export interface Run {
  readonly subject: Subject
  readonly scheduler: fc.Scheduler
  readonly tally: Tally
  /** What was asked so far, and answered: the commands as they were carried out. */
  readonly trail: string[]
}
/** What was reached, by name: a suite that never continues a suspended execution proves nothing of it. */
export type Tally = Map<string, number>

type Command = fc.AsyncCommand<Reference, Run>

const MAX_COMMANDS = 30

/** @param replayPath of an earlier failure */
export function commands(replayPath: string | undefined): fc.Arbitrary<Iterable<Command>> {
  const concurrent = fc
    .tuple(fc.array(onOneIntent(), { minLength: 2, maxLength: 3 }), fc.nat({ max: 2 }))
    .map(([choices, intent]) => together(choices.map((choice) => ({ ...choice, intent }))))
  const disturbed = fc
    .record({
      choice: onOneIntent(),
      kind: fc.constantFrom('call' as const, 'answer' as const),
      nth: fc.nat({ max: 24 }),
    })
    .map(({ choice, kind, nth }) => disturbedBy({ kind, nth: kind === 'answer' ? 1 : nth + 1 }, choice))
  const single = [declaring(), onOneIntent(), onOneIntent(), around(), ...Array.from({ length: 5 }, further)]
  const drawn = fc.commands([...single.map((choice) => choice.map(alone)), concurrent, concurrent, disturbed], {
    maxCommands: MAX_COMMANDS,
    size: 'max',
    ...(replayPath !== undefined && { replayPath }),
  })
  // Short runs, which are drawn more often otherwise, reach nothing.
  return fc.noBias(drawn)
}

/** What every run begins with: without an intent there is nothing to do. */
export function opening(): fc.Arbitrary<Command> {
  return declaring().map(alone)
}

/** What is left of every permit that anybody holds (P4). */
export async function verifyAll(world: Reference, run: Run): Promise<void> {
  const { subject } = run
  for (const [intent, { permits }] of world.intents.entries()) {
    for (const permit of permits.keys()) {
      if (!subject.has(intent, permit)) continue
      const action = { type: 'verify', intent, permit } as const
      compare(world, [action], [await subject.perform(action)], await subject.see(), run)
    }
  }
}

/** Everything that a command decides by itself; the rest is decided by what is there. */
interface Choice {
  readonly kind: Action['type'] | 'further'
  /** Counted from the newest. */
  readonly intent: number
  readonly of: number
  readonly usual: boolean
  readonly odd: boolean
  readonly salt: number
}

const choiceOf = (kinds: readonly Choice['kind'][]): fc.Arbitrary<Choice> =>
  fc.noBias(
    fc.record({
      kind: fc.constantFrom(...kinds),
      intent: fc.constantFrom(0, 0, 0, 1, 2),
      of: fc.nat({ max: 419 }),
      // What leads further, most of the time.
      usual: fc.nat({ max: 3 }).map((number) => number < 3),
      odd: fc.nat({ max: 3 }).map((number) => number === 3),
      salt: fc.nat(),
    }),
  )

const declaring = () => choiceOf(['declare'])
const further = () => choiceOf(['further'])
const onOneIntent = () =>
  choiceOf([
    ...(['further', 'further', 'further', 'further', 'vote', 'vote', 'claim', 'claim', 'report', 'report'] as const),
    ...(['redeem', 'redeem', 'edit', 'cancel', 'log', 'withdraw', 'reconcile', 'repeat', 'verify'] as const),
  ])
const around = () => choiceOf(['tick', 'tick', 'tick', 'agent', 'agent', 'policy', 'person', 'sweep', 'restore'])

function alone(choice: Choice): Command {
  return {
    check: (world) => world.intents.length > 0 || !needsIntent(choice),
    async run(world, run) {
      const { subject } = run
      const action = resolve(choice, world, subject)
      if (!action) return
      compare(world, [action], [await subject.perform(action)], await subject.see(), run)
    },
    toString: () => textOf(choice),
  }
}

/** All at once, on one intent, one call of the store after the other in whatever order the scheduler takes. */
function together(choices: readonly Choice[]): Command {
  return {
    check: (world) => world.intents.length > 0,
    async run(world, run) {
      const { subject, scheduler } = run
      const actions = choices.flatMap((choice) => resolve(choice, world, subject) ?? [])
      const turn = (call: string): Promise<void> => scheduler.schedule(Promise.resolve(), call)
      const answers = await subject.interleaved(turn, () =>
        scheduler.waitFor(Promise.all(actions.map((action) => subject.perform(action)))),
      )
      count(run.tally, 'concurrent')
      compare(world, actions, answers, await subject.see(), run)
    },
    toString: () => `together(${choices.map(textOf).join(', ')})`,
  }
}

function disturbedBy(fault: { readonly kind: 'call' | 'answer'; readonly nth: number }, choice: Choice): Command {
  return {
    check: (world) => world.intents.length > 0,
    async run(world, run) {
      const { subject } = run
      const action = resolve(choice, world, subject)
      // A report is sent again until it is answered.
      if (!action || action.type === 'report') return
      subject.arm(fault)
      const answer = await subject.perform(action)
      subject.arm(undefined)
      compare(world, [action], [answer], await subject.see(), run)
    },
    toString: () => `disturbed(${textOf(choice)}, ${fault.kind} ${fault.nth})`,
  }
}

/** @throws Error when no order of the actions leads to what was answered and seen */
function compare(
  world: Reference,
  actions: readonly Action[],
  answers: readonly string[],
  seen: readonly Seen[],
  { subject, tally, trail }: Run,
): void {
  const given = answers.map(subject.placed)
  for (const [index, action] of actions.entries()) count(tally, `${action.type} ${(given[index] ?? '').split(' ')[0]}`)
  const told = `at ${world.now} s: ${actions.map((action, index) => `${JSON.stringify(action)} → ${given[index]}`).join(' and ')}`
  let first: { answers: readonly string[]; seen: readonly Seen[] } | undefined
  for (const order of orders(actions.map((_, index) => index))) {
    for (const left of leftOut(order, given)) {
      const candidate = structuredClone(world)
      const expected: string[] = given.map(() => 'broken')
      for (const index of order) {
        if (left.has(index)) continue
        const answer = act(candidate, actions[index] as Action)
        if (given[index] !== 'broken') expected[index] = answer
      }
      const then = see(candidate)
      if (isDeepStrictEqual(expected, given) && isDeepStrictEqual(then, seen)) {
        Object.assign(world, candidate)
        trail.push(told)
        return
      }
      first ??= { answers: expected, seen: then }
    }
  }
  throw new Error(
    [
      'the gate and the reference differ, in the last of',
      ...trail.map((step) => `  ${step}`),
      `  ${told}`,
      ...given.flatMap((answer, index) => {
        const must = first?.answers[index]
        return answer === must ? [] : [`  answered ${answer}, not ${must}`]
      }),
      ...differences(seen, first?.seen ?? []),
    ].join('\n'),
  )
}

/** Of an action whose answer was lost nobody knows whether it was carried out. */
function* leftOut(order: readonly number[], answers: readonly string[]): Iterable<ReadonlySet<number>> {
  yield new Set()
  const lost = order.filter((index) => answers[index] === 'broken')
  if (lost.length > 0) yield new Set(lost)
}

function* orders(of: readonly number[]): Iterable<readonly number[]> {
  if (of.length <= 1) yield of
  else for (const first of of) for (const rest of orders(of.filter((each) => each !== first))) yield [first, ...rest]
}

function differences(seen: readonly Seen[], expected: readonly Seen[]): readonly string[] {
  const places = Array.from({ length: Math.max(seen.length, expected.length) }, (_, place) => place)
  return places.flatMap((place) => {
    const [is, must] = [seen[place], expected[place]]
    if (!is || !must) return [`  intent ${place} is ${is ? 'there' : 'not there'}`]
    return (Object.keys(must) as (keyof Seen)[])
      .filter((name) => !isDeepStrictEqual(is[name], must[name]))
      .map((name) => `  intent ${place}: ${name} is ${JSON.stringify(is[name])}, not ${JSON.stringify(must[name])}`)
  })
}

/** Undefined: there is nothing of the kind to do. */
function resolve(choice: Choice, world: Reference, subject: Subject): Action | undefined {
  const { of, usual, odd, salt } = choice
  const intent = Math.max(0, world.intents.length - 1 - choice.intent)
  const there = world.intents[intent]
  if (needsIntent(choice) && !there) return undefined
  const type = choice.kind === 'further' ? nextFor(there, salt) : choice.kind
  const by = pick(choice.kind === 'further' ? free(world, there) : PEOPLE, of)
  const holder = there?.run.holder
  switch (type) {
    case 'declare': {
      const forClaim = of % 4 > 0
      return {
        type,
        delivery: forClaim ? 'claim' : 'token',
        reenters: forClaim && of % 3 === 0,
        idempotent: forClaim && of % 2 === 0,
        edits: of % 5 < 2,
        supersedes: odd && there ? intent : undefined,
      }
    }
    case 'repeat':
      return subject.isDeclared(intent) ? { type, intent, changed: odd } : undefined
    case 'vote':
      return { type, intent, by, verdict: usual ? 'approve' : odd ? 'deny' : 'request_changes' }
    case 'edit':
      return { type, intent, by }
    case 'cancel':
      return { type, intent }
    case 'claim': {
      const again = there?.run.state === 'started' && usual
      return {
        type,
        intent,
        execution: odd ? 'another call' : (holder?.execution ?? 'call'),
        attempt: again && holder ? holder.attempt : `attempt ${salt}`,
        continues: Math.max(0, (there?.run.continuations ?? 0) - (of % 5 === 4 ? 1 : 0)),
      }
    }
    case 'report': {
      const likely = there?.reenters ? 'suspended' : 'failed'
      const status = pick([likely, likely, likely, 'suspended', 'succeeded', 'failed', 'not_started'] as const, of)
      const { execution, attempt } = holder && !odd ? holder : { execution: 'call', attempt: `attempt ${salt}` }
      return { type, intent, execution, attempt, status }
    }
    case 'redeem':
    case 'verify': {
      const known = (there?.permits ?? []).map((_, permit) => permit).filter((permit) => subject.has(intent, permit))
      const permit = usual ? known.at(-1) : pick(known, of)
      if (permit === undefined) return undefined
      if (type === 'verify') return { type, intent, permit }
      return { type, intent, permit, redemption: pick(['first', 'second', 'third'], of), optIn: odd }
    }
    case 'log':
      if (!there?.permits.length) return undefined
      return { type, intent, permit: of % there.permits.length, status: usual ? 'succeeded' : 'failed' }
    case 'withdraw':
      return { type, intent, by }
    case 'reconcile':
      return { type, intent, by, happened: usual }
    case 'sweep':
    case 'restore':
      return { type }
    case 'tick':
      return { type, seconds: pick(there?.run.state === 'started' ? [60, 310, 900, 900] : SPANS, of) }
    case 'agent':
      return { type, paused: !world.agentPaused && !usual }
    case 'policy':
      if (usual && world.now < world.cautiousUntil) return { type, policy: 'auto' }
      return { type, policy: usual ? pick(['one', 'auto', 'two'] as const, of) : pick(POLICIES, of) }
    case 'person':
      return { type, person: (usual && there?.votes.at(-1)?.by) || by, active: salt % 2 === 0 }
  }
}

/** What leads on from where an intent stands, so that runs get somewhere. */
function nextFor(there: Reference['intents'][number] | undefined, of: number): Action['type'] {
  switch (there?.run.state) {
    case 'started':
      return pick(['report', 'redeem', 'report', 'claim', 'report', 'log', 'tick'], of)
    case 'suspended':
      return pick(['claim', 'claim', 'tick', 'claim', 'claim', 'withdraw', 'cancel', 'redeem', 'cancel'], of)
    case 'failed':
      return pick(there.idempotent ? ['claim', 'claim', 'redeem'] : ['redeem', 'claim', 'declare'], of)
    case 'unknown':
      return pick(['report', 'reconcile', 'report', 'tick', 'reconcile', 'claim', 'log', 'redeem'], of)
    case 'delivered':
      return pick(['redeem', 'cancel', 'log', 'tick'], of)
    case 'succeeded':
    case 'abandoned':
      return pick(['claim', 'report', 'log', 'redeem', 'declare'], of)
    case 'none':
    case undefined:
      if (there?.status === 'pending') return pick(['vote', 'vote', 'vote', 'vote', 'edit'], of)
      return there?.status === 'approved' ? pick(['claim', 'claim', 'claim', 'claim', 'tick'], of) : 'declare'
  }
}

/** Who might vote on it; anybody where nobody is left. */
function free({ away }: Reference, there: Reference['intents'][number] | undefined): readonly PersonName[] {
  const left = PEOPLE.filter(
    (name) => name !== 'olga' && !away.includes(name) && !there?.votes.some(({ by }) => by === name),
  )
  return left.length > 0 ? left : PEOPLE
}

/** In seconds: within a permit's life and beyond it, up to a deadline, almost a window, and beyond that. */
const SPANS = [10, 60, 290, 310, 600, 900, 1300, 1620] as const

const WITHOUT_INTENT: readonly Choice['kind'][] = ['declare', 'sweep', 'restore', 'tick', 'agent', 'policy', 'person']

function needsIntent({ kind }: Choice): boolean {
  return !WITHOUT_INTENT.includes(kind)
}

function pick<Value>(values: readonly Value[], number: number): Value {
  return values[number % values.length] as Value
}

function count(tally: Tally, name: string): void {
  tally.set(name, (tally.get(name) ?? 0) + 1)
}

function textOf({ kind, intent, of, usual, odd, salt }: Choice): string {
  return `${kind}(${intent}, ${of}${usual ? ', usual' : ''}${odd ? ', odd' : ''}, ${salt})`
}
