/**
 * Runs that outlive their process. A run that waits comes back as an envelope, and goes on from it at any time: before the
 * decision, after it, or twice. Each time the gate is asked, and only its grant lets a tool run, once.
 *
 * @module
 */
import {
  type AgentInputItem,
  type NonStreamRunOptions,
  Runner,
  type RunResult,
  RunState,
  type RunToolApprovalItem,
  type StreamedRunResult,
} from '@openai/agents'
import { isSettled, isSilentAuthError, refusalOfSettled, refusalText, SilentAuthError } from '@silentauth/core'
import { giveUpEntered, settleEntered, suspendEntered } from './entered-tools.js'
import { type GatedStreamEvent, type GateStreamEvent, notices, streamEvent, withNotices } from './gated-stream.js'
import { watchedProvider } from './model-sightings.js'
import type { PendingCall } from './pending-call.js'
import { waitForAny } from './pending-wait.js'
import {
  type AnyAgent,
  type AnyState,
  type Found,
  findings,
  type Interrupted,
  listedCall,
  pendingCall,
  settle,
  waits,
} from './resolve-interruptions.js'
import {
  callIdsIn,
  type DrivenRun,
  type ListedCall,
  markAnswered,
  newDrivenRun,
  newScope,
  placeOf,
  type RunScope,
  toolCallKey,
  withScope,
} from './run-scope.js'
import { type EnvelopeOptions, envelopeKeys, isSuspendedRun, open, type SuspendedRun, seal } from './suspended-run.js'

export interface RunWithGateOptions<Context = undefined, Driven extends AnyAgent = AnyAgent> extends EnvelopeOptions {
  /** The run's own options: `context`, `session`, `signal`, `maxTurns`, … */
  run?: Omit<NonStreamRunOptions<Context, Driven>, 'stream'> | undefined
  /** @default a new one */
  runner?: Runner | undefined
  /**
   * Of this logical run, random, and kept before it starts: a start that broke off is then made again as the same run, and
   * what was asked for is not asked for again. A suspended run has its own.
   *
   * @default a new one
   */
  runKey?: string | undefined
  /** `suspend`: comes back while a call waits. `wait`: this process waits. @default 'suspend' */
  onPending?: 'suspend' | 'wait' | undefined
  /** Of your agents: an envelope of another version is not resumed. */
  agentVersion?: string | undefined
  /**
   * With a suspended run: what the user says instead of waiting. The calls that it waits for are cancelled, and the model is
   * told so.
   */
  say?: string | AgentInputItem[] | undefined
  /** About interruptions of tools that are not gated, and of gated tools with a policy of their own. @default 'leave' */
  onForeign?: ((item: RunToolApprovalItem) => ForeignAnswer | Promise<ForeignAnswer>) | undefined
}

export type ForeignAnswer = 'approve' | 'leave' | { readonly reject: string }

export type GateOutcome<Result> =
  | { readonly status: 'completed'; readonly result: Result }
  | {
      readonly status: 'suspended'
      readonly suspended: SuspendedRun
      /** Interruptions that are yours to decide. */
      readonly foreign: readonly RunToolApprovalItem[]
    }

/**
 * Runs an agent with gated tools to its end, or to where it waits.
 *
 * @param input what the user says, or a suspended run
 * @throws SilentAuthError `FORBIDDEN` for an envelope that was changed; TypeError for one of another agent version or of
 * another run key; what the run throws
 */
export async function runWithGate<Driven extends AnyAgent, Context = undefined>(
  agent: Driven,
  input: string | AgentInputItem[] | SuspendedRun,
  options: RunWithGateOptions<Context, Driven>,
): Promise<GateOutcome<RunResult<Context, Driven>>> {
  const steps = drive(agent, input, options as never)
  for (;;) {
    const { done, value } = await steps.next()
    if (done) return value as GateOutcome<RunResult<Context, Driven>>
  }
}

export interface GatedStream<Result> extends AsyncIterable<GatedStreamEvent> {
  /** Once the stream was read to its end, or to where it waits. Rejects with an `AbortError` when it is given up before: so is the run. */
  readonly outcome: Promise<GateOutcome<Result>>
}

/** As `runWithGate`, with the events of every stream that it takes, and of the gate, in one. */
export function streamWithGate<Driven extends AnyAgent, Context = undefined>(
  agent: Driven,
  input: string | AgentInputItem[] | SuspendedRun,
  options: RunWithGateOptions<Context, Driven>,
): GatedStream<StreamedRunResult<Context, Driven>> {
  const { promise: outcome, resolve, reject } = Promise.withResolvers<GateOutcome<StreamedRunResult<Context, Driven>>>()
  outcome.catch(() => undefined)
  const left = new AbortController()
  const { signal: given } = options.run ?? {}
  const run = { ...options.run, signal: given ? AbortSignal.any([given, left.signal]) : left.signal }
  const waiting: WaitingRun = {}
  async function* events(): AsyncGenerator<GatedStreamEvent> {
    try {
      resolve((yield* drive(agent, input, { ...options, run } as never, waiting)) as never)
    } catch (error) {
      reject(error)
      throw error
    }
  }
  const inner = events()
  const iterator: AsyncIterator<GatedStreamEvent> = {
    next: () => inner.next(),
    // What is held would go on to wait, and to run, for nobody. Aborted first: the SDK's own stream ends only with what it waits for.
    async return(value) {
      if (waiting.outcome) resolve(waiting.outcome as never)
      left.abort(new DOMException('nobody reads the stream of this run any more', 'AbortError'))
      reject(left.signal.reason)
      return inner.return(value)
    },
  }
  return { outcome, [Symbol.asyncIterator]: () => iterator }
}

/** What comes of a stream that is left where it says that it waits. */
interface WaitingRun {
  outcome?: GateOutcome<Ended>
}

/** Sees what models say that are asked for by name. A runner of the caller's stays as it is. */
function seenRunner({ sightings }: DrivenRun): Runner {
  return new Runner({ modelProvider: watchedProvider(new Runner().config.modelProvider, sightings) })
}

type Ended = Interrupted & { readonly finalOutput?: unknown }
type Steps = AsyncGenerator<GatedStreamEvent, GateOutcome<Ended>>
type Options = RunWithGateOptions<unknown, AnyAgent>

async function* drive(
  agent: AnyAgent,
  input: string | AgentInputItem[] | SuspendedRun,
  options: Options,
  streamed?: WaitingRun,
): Steps {
  const streams = streamed !== undefined
  const keys = await envelopeKeys(options)
  const { onPending = 'suspend', encrypt = false, agentVersion } = options
  const driven = newDrivenRun(options.run?.signal)
  const runner = options.runner ?? seenRunner(driven)
  const step = (scope: RunScope, next: string | AgentInputItem[] | AnyState) =>
    stepOf({ agent, next, scope, runner, options, streams })

  const given = isSuspendedRun(input)
  const record = given ? await open(input, keys) : undefined
  if (record && record.agentVersion !== agentVersion) {
    throw new TypeError('the run was suspended by another version of its agents: resume it with that one')
  }
  if (record && options.runKey !== undefined && options.runKey !== record.runKey) {
    throw new TypeError('runKey is of another run: a suspended one has its own')
  }
  const restored = record && {
    listed: new Map(record.calls.map((call) => [placeOf(call.tool, call.callId), call])),
    callIds: new Set(callIdsIn(record.state)),
  }
  const scope = newScope(record?.runKey ?? options.runKey, { restored, driven })

  for (const call of record?.calls ?? []) {
    if (call.continues > 0) driven.suspended.set(toolCallKey(scope, call.tool, call.callId, undefined), call)
  }
  const sealed = (state: string, calls: readonly ListedCall[], pending: readonly PendingCall[]) => {
    const all = [...calls.filter(({ continues }) => continues === 0), ...driven.suspended.values()]
    return seal({ runKey: scope.runKey, agentVersion, state, calls: all }, pending, { keys, encrypt })
  }

  let result: Ended
  if (record) {
    const { context } = options.run ?? {}
    const state = (await restore(agent, record.state, context)) as AnyState
    result = { state, interruptions: state.getInterruptions() }
    if (options.say !== undefined) {
      await leaveBehind(result, scope)
      state.addInput(options.say)
      result = yield* step(scope, state)
    }
  } else {
    if (options.say !== undefined) throw new TypeError('say is for a suspended run; this one begins with its input')
    result = yield* step(scope, input as string | AgentInputItem[])
  }

  for (;;) {
    await settleEntered(scope, result.state)
    if (result.interruptions.length === 0) return { status: 'completed', result }
    const { found, foreign } = await findings(result, scope)
    const waiting = found.filter(waits)
    const pending = waiting.map(pendingCall)
    const calls = found.flatMap((call) => listedCall(call, scope) ?? [])
    const state = result.state.toString()
    // Before anything is settled: an approval of the SDK in a state that is kept would be one that nobody has given.
    const envelope = await sealed(state, calls, pending)

    const settled = await settleSome(found, { foreign, state: result.state, scope, options })
    if (settled.length === 0 && settled.foreign === 0) {
      const suspended = { status: 'suspended', suspended: envelope, foreign } as const
      const waitsHere = onPending === 'wait' && waiting.length > 0
      if (streamed && !waitsHere) streamed.outcome = suspended
      if (streams && pending.length > 0) yield { type: 'gate_pending', pending }
      if (waitsHere) {
        let decided = false
        while (!decided) {
          const said: GateStreamEvent[] = []
          decided = await waitForAny(waiting, options.run?.signal, (call, event) => {
            const shown = streamEvent(event, pendingCall(call))
            if (shown) said.push(shown)
          })
          if (streams) yield* said
        }
        continue
      }
      return suspended
    }
    try {
      if (streams) for (const call of settled) yield { type: 'gate_decided', call: pendingCall(call) }
      result = yield* step(scope, result.state)
    } catch (error) {
      if (!driven.stillWaiting) throw error
    } finally {
      await giveBackSpent(driven)
    }
    if (driven.stillWaiting) {
      // Not begun, and nothing else was: each step runs one call. Agents around it were entered, and are left again.
      driven.stillWaiting = false
      for (const [key, tool] of driven.entered) await suspendEntered(scope, key, tool)
      return { status: 'suspended', suspended: await sealed(state, calls, pending), foreign }
    }
  }
}

/** Nobody waits for these any more. */
async function leaveBehind(result: Ended, scope: RunScope): Promise<void> {
  const { found, foreign } = await findings(result, scope)
  if (foreign.length > 0) throw new TypeError('the run waits for more than the gate: say is for calls of gated tools')
  for (const { item, call, hook, waiting } of found) {
    const seen = waiting.looked?.seen
    const intent = seen && 'intent' in seen ? seen.intent : undefined
    // What has begun is not cancelled; the gate says what is to be told of it.
    const left =
      intent && (await hook.options.gate.cancel(intent.id, LEFT_BEHIND).catch(() => hook.options.gate.read(intent.id)))
    const refusal =
      left && isSettled(left) ? refusalOfSettled(left) : new SilentAuthError('INTENT_CANCELLED', LEFT_BEHIND)
    result.state.reject(item, { message: refusalText(refusal) })
    markAnswered(scope, call.name, call.callId, call)
  }
}

const LEFT_BEHIND = 'the user said something else'

/** Settles all that were refused, or one that goes on: when that one cannot begin, no other call has to be given up with it. */
async function settleSome(
  found: readonly Found[],
  {
    foreign,
    state,
    scope,
    options,
  }: { foreign: readonly RunToolApprovalItem[]; state: AnyState; scope: RunScope; options: Options },
): Promise<readonly Found[] & { readonly foreign: number }> {
  const { driven } = scope
  driven?.resuming.clear()
  for (const key of driven?.suspended.keys() ?? []) driven?.resuming.add(key)
  const decided: Found[] = []
  let answered = 0
  for (const item of foreign) if (await answerForeign(item, state, options)) answered++
  for (const call of found.filter((call) => !waits(call))) {
    const begins = call.waiting.looked?.seen.type !== 'refused'
    if (begins && decided.some(({ waiting }) => waiting.looked?.seen.type !== 'refused')) continue
    if (call.waiting.ownApproval && begins && call.hook.spend) {
      // Its own policy first: what is spent is to be run at once.
      const answer = (await options.onForeign?.(call.item)) ?? 'leave'
      if (answer === 'leave') continue
      if (answer !== 'approve') state.reject(call.item, { message: answer.reject })
      else if (!(await settle(call, state, { scope, signal: options.run?.signal }))) continue
    } else if (call.waiting.ownApproval && begins) {
      if (!(await answerForeign(call.item, state, options))) continue
      driven?.resuming.add(call.waiting.key)
    } else if (!(await settle(call, state, { scope, signal: options.run?.signal }))) continue
    decided.push(call)
  }
  return Object.assign(decided, { foreign: answered })
}

/** The run did not come to what it was let through for: the gate is told that it did not start. */
async function giveBackSpent({ spent }: DrivenRun): Promise<void> {
  const left = [...spent.values()]
  spent.clear()
  await Promise.allSettled(left.map(async (one) => one !== 'passed' && one.begun.execution.notStarted()))
}

async function answerForeign(item: RunToolApprovalItem, state: AnyState, { onForeign }: Options): Promise<boolean> {
  const answer = (await onForeign?.(item)) ?? 'leave'
  if (answer === 'leave') return false
  if (answer === 'approve') state.approve(item)
  else state.reject(item, { message: answer.reject })
  return true
}

interface Step {
  readonly agent: AnyAgent
  readonly next: string | AgentInputItem[] | AnyState
  readonly scope: RunScope
  readonly runner: Runner
  readonly options: Options
  readonly streams: boolean
}

/** To the end, or to the next interruption. A stream that pauses ends; going on is a new one. */
async function* stepOf({
  agent,
  next,
  scope,
  runner,
  options,
  streams,
}: Step): AsyncGenerator<GatedStreamEvent, Ended> {
  const given = { ...options.run } as Record<string, unknown>
  // A restored state has its context already.
  if (next instanceof RunState) delete given.context
  try {
    if (!streams) return (await withScope(scope, () => runner.run(agent, next, given as never))) as unknown as Ended
    const stream = (await withScope(scope, () =>
      runner.run(agent, next, { ...given, stream: true } as never),
    )) as unknown as StreamedRunResult<unknown, AnyAgent>
    const queue = notices()
    if (scope.driven) scope.driven.show = queue.push
    yield* withNotices(stream, queue)
    await stream.completed
    if (stream.cancelled) options.run?.signal?.throwIfAborted()
    return stream as unknown as Ended
  } catch (error) {
    giveUpEntered(scope)
    throw causeOf(error)
  }
}

/** A refusal that a tool threw, as it is; the SDK wraps errors of tools. */
function causeOf(error: unknown): unknown {
  const { error: inner } = (error ?? {}) as { error?: unknown }
  return isSilentAuthError(inner) ? inner : error
}

async function restore(agent: AnyAgent, text: string, context: unknown): Promise<unknown> {
  if (context === undefined) return RunState.fromString(agent, text)
  const { RunContext } = await import('@openai/agents')
  const given = context instanceof RunContext ? context : new RunContext(context)
  return RunState.fromStringWithContext(agent, text, given as never, { contextStrategy: 'merge' })
}
