/**
 * Pending writes: what a LangGraph checkpoint keeps of the tasks of a step that has not ended.
 *
 * @module
 */
import type { RunnableConfig } from '@langchain/core/runnables'

/** What of a checkpointer is used here. */
export interface Checkpointer {
  getTuple(config: RunnableConfig): Promise<
    | {
        readonly parentConfig?: RunnableConfig | undefined
        readonly pendingWrites?: readonly (readonly [task: string, channel: string, value: unknown])[] | undefined
      }
    | undefined
  >
}

export const INTERRUPT_CHANNEL = '__interrupt__'

/** What LangGraph writes of a task that has not ended. */
const UNFINISHED: ReadonlySet<string> = new Set([
  INTERRUPT_CHANNEL,
  '__resume__',
  '__error__',
  '__error_source_node__',
  '__scheduled__',
])

/**
 * While a step waits for one of its tasks, those that have ended keep their interrupts beside what they wrote. Waking them
 * would only run the others once more.
 */
export async function finishedTasks(checkpointer: unknown, config: RunnableConfig): Promise<ReadonlySet<string>> {
  const tuple = await (checkpointer as Partial<Checkpointer> | undefined)?.getTuple?.(config)
  const results = tuple?.pendingWrites?.filter(([, channel]) => !UNFINISHED.has(channel)) ?? []
  return new Set(results.map(([task]) => task))
}
