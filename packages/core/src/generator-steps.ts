/**
 * Steps of a generator tool. Its body runs in the context of whoever calls `next()`, so each step is entered by itself.
 *
 * @module
 */

export interface Steps {
  /** Runs one step in the permit's context. */
  enter<Result>(step: () => Result): Result
  /** Gives what the generator returns. */
  finished(output: unknown): Promise<unknown>
  /** Always throws. */
  failed(error: unknown): Promise<never>
}

/** LangChain consumes whatever has a `next`. */
export function isGenerator(value: unknown): value is Stepper {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Stepper>).next === 'function'
}

interface Stepper {
  next(): IteratorResult<unknown, unknown> | Promise<IteratorResult<unknown, unknown>>
  return?(value?: unknown): unknown
}

/** The generator, step by step. One that is given up half-way is not reported: nobody knows what it did. */
export async function* inSteps(generator: Stepper, { enter, finished, failed }: Steps): AsyncGenerator {
  let done = false
  try {
    for (;;) {
      let step: IteratorResult<unknown, unknown>
      try {
        step = await enter(() => generator.next())
      } catch (error) {
        done = true
        return await failed(error)
      }
      if (step.done) {
        done = true
        return await finished(step.value)
      }
      yield step.value
    }
  } finally {
    if (!done) await enter(() => generator.return?.())
  }
}
