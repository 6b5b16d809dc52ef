/**
 * Suspended LangGraph threads: what they wait for, and how they go on.
 *
 * @module
 */
export { GATE_INTERRUPT, type GateInterrupt, isGateInterrupt } from './gate-interrupt.js'
export {
  createGateResumer,
  type GateResumer,
  type GateResumerOptions,
  type PollOptions,
  type SuspendedThread,
} from './gate-resumer.js'
export {
  type GraphOrAgent,
  type PendingGate,
  pendingGates,
  type ResolvedInterrupts,
  type ResolveOptions,
  resolveInterrupts,
  type SuspendableGraph,
} from './pending-gates.js'
