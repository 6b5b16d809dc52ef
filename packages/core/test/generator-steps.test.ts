import { describe, expect, it } from 'vitest'
import { inSteps, isGenerator, type Steps } from '../src/generator-steps.ts'

function watched() {
  const log: string[] = []
  const steps: Steps = {
    enter: (step) => {
      log.push('enter')
      return step()
    },
    finished: async (output) => {
      log.push(`finished ${output}`)
      return `${output}!`
    },
    failed: async (error) => {
      log.push('failed')
      throw error
    },
  }
  return { log, steps }
}

async function* counting() {
  yield 1
  yield 2
  return 3
}

describe('a generator', () => {
  it('is entered step by step, and keeps what it yields and returns', async () => {
    const { log, steps } = watched()
    const stepped = inSteps(counting(), steps)
    const results = [await stepped.next(), await stepped.next(), await stepped.next()]
    expect(results.map(({ value, done }) => [value, done])).toEqual([
      [1, false],
      [2, false],
      ['3!', true],
    ])
    expect(log).toEqual(['enter', 'enter', 'enter', 'finished 3'])
  })

  it('that throws has failed, once', async () => {
    const { log, steps } = watched()
    const failing = (async function* () {
      yield 1
      throw new Error('broken')
    })()
    const stepped = inSteps(failing, steps)
    await stepped.next()
    await expect(stepped.next()).rejects.toThrow('broken')
    expect(log).toEqual(['enter', 'enter', 'failed'])
  })

  it('that is given up half-way is closed, and neither finished nor failed: nobody knows what it did', async () => {
    const { log, steps } = watched()
    const closing = (async function* () {
      try {
        yield 1
        yield 2
      } finally {
        log.push('closed')
      }
    })()
    const stepped = inSteps(closing, steps)
    await stepped.next()
    await stepped.return(undefined)
    expect(log).toEqual(['enter', 'enter', 'closed'])
  })

  it.each([
    ['an async generator', counting(), true],
    ['a generator', [1, 2].values(), true],
    ['a text', 'text', false],
    ['nothing', null, false],
    ['an object', { next: 1 }, false],
  ])('is told from other results: %s', (_, value, is) => {
    expect(isGenerator(value)).toBe(is)
  })
})
