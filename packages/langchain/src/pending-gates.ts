/**
 * Pending gates: the gated calls that a suspended LangGraph thread waits for, and the command that wakes those of them which
 * can go on. It carries no decision: a call that is woken asks the gate itself.
 *
 * @module
 */
import type { RunnableConfig } from '@langchain/core/runnables'
import { Command } from '@langchain/langgraph'
import { type Gate, type Intent, type IntentId, isSilentAuthError } from '@silentauth/core'
import { GATE_INTERRUPT, type GateInterrupt, isGateInterrupt } from './gate-interrupt.js'
import { finishedTasks } from './pending-writes.js'

/** What of a compiled graph is used here. */
export interface SuspendableGraph {
  /** Where the thread is kept; not there for a graph that runs elsewhere. */
  readonly checkpointer?: unknown
  getState(config: RunnableConfig): Promise<{
    readonly tasks: readonly SuspendedTask[]
    readonly config: RunnableConfig
  }>
  invoke(input: never, config: RunnableConfig): Promise<unknown>
}
interface SuspendedTask {
  readonly id: string
  readonly interrupts?: readonly { readonly id?: string | undefined; readonly value?: unknown }[] | undefined
}

/** A compiled graph, or the agent around one. */
export type GraphOrAgent = SuspendableGraph | { readonly graph: SuspendableGraph; invoke: SuspendableGraph['invoke'] }

export interface PendingGate extends GateInterrupt {
  readonly interruptId: string
  readonly taskId: string
}

/** `config` names the thread, as in `invoke`. Empty for a thread that waits for nothing, or for other things only. */
export async function pendingGates(graph: GraphOrAgent, config: RunnableConfig): Promise<PendingGate[]> {
  const known = graphOf(graph)
  const state = await known.getState(config)
  // A thread that there is not has no checkpoint to ask for.
  if (state.tasks.length === 0) return []
  const finished = await finishedTasks(known.checkpointer, state.config)
  const found = new Map<string, PendingGate>()
  for (const { id: taskId, interrupts = [] } of state.tasks) {
    if (finished.has(taskId)) continue
    for (const { id: interruptId, value } of interrupts) {
      if (interruptId === undefined || !isGateInterrupt(value)) continue
      found.set(interruptId, { ...(value as GateInterrupt), interruptId, taskId })
    }
  }
  return [...found.values()]
}

export interface ResolveOptions {
  gate: Gate
  signal?: AbortSignal | undefined
}

export interface ResolvedInterrupts {
  /** Input of the thread's next `invoke` or `stream`; undefined while nothing can go on. */
  readonly command: Command | undefined
  /** Those that still wait. */
  readonly waiting: readonly PendingGate[]
}

/**
 * Asks the gate about every call that the thread waits for.
 *
 * @throws the signal's reason; SilentAuthError when the gate cannot be asked
 */
export async function resolveInterrupts(
  graph: GraphOrAgent,
  config: RunnableConfig,
  { gate, signal }: ResolveOptions,
): Promise<ResolvedInterrupts> {
  const gates = await pendingGates(graph, config)
  const ready = await Promise.all(gates.map(({ intentId }) => canGoOn(gate, intentId, signal)))
  const woken = gates.filter((_, index) => ready[index])
  const resume = Object.fromEntries(
    woken.map(({ interruptId, intentId }) => [interruptId, { type: GATE_INTERRUPT, ...(intentId && { intentId }) }]),
  )
  return {
    command: woken.length > 0 ? new Command({ resume }) : undefined,
    waiting: gates.filter((_, index) => !ready[index]),
  }
}

/** Whether the call would get another answer now. A hint: the call itself decides. */
async function canGoOn(gate: Gate, id: string | undefined, signal: AbortSignal | undefined): Promise<boolean> {
  // The gate could not be asked when it was suspended.
  if (id === undefined) return true
  try {
    let intent = await gate.read(id as IntentId, { signal })
    for (let hops = 0; intent.supersededBy && hops < 10; hops++) {
      intent = await gate.read(intent.supersededBy, { signal })
    }
    return isSettledForNow(intent)
  } catch (error) {
    if (isSilentAuthError(error) && error.code === 'NOT_FOUND') return true
    throw error
  }
}

function isSettledForNow({ status, execution }: Intent): boolean {
  if (status === 'pending') return false
  // Another process runs it; past the deadline it is unknown, and an idempotent tool may run again.
  return execution.state !== 'started'
}

function graphOf(graph: GraphOrAgent): SuspendableGraph {
  return 'graph' in graph ? graph.graph : graph
}
