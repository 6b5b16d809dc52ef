import { glob, readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it } from 'vitest'

const ROOT = path.join(import.meta.dirname, '..')
const NUMBER = /\b[IEP]\d+\b/g

/** Rules that no store takes part in, and so are not in the contract of gates, which every store runs. */
const WITHOUT_A_STORE: Readonly<Record<string, string>> = {
  E22: 'the agent checks the permit once more in its own process',
  P5: 'a verifier keeps its own single use and its own list',
  P6: 'only stores that sequence after the commit have it: the tests of the sequencer',
}

/** Numbers such as I9 or E13, as the page defines them: the first cell of a row, or bold at the start of a list item. */
async function definedNumbers(): Promise<string[]> {
  const page = await readFile(path.join(ROOT, 'docs/lifecycle.md'), 'utf8')
  return [...page.matchAll(/^(?:\| |- \*\*)([IEP]\d+)(?: \||\*\*)/gm)].map((match) => match[1] as string)
}

/** Numbers that the name of a test carries, in the packages that hold the rules: adapters number the pitfalls of their frameworks. */
async function testedNumbers(): Promise<Set<string>> {
  const tested = new Set<string>()
  for await (const file of glob('packages/{core,store,server,verify}/test/**/*.test.ts', { cwd: ROOT })) {
    const text = await readFile(path.join(ROOT, file), 'utf8')
    for (const [, name = ''] of text.matchAll(/\b(?:it|test|describe)(?:\.each\([\s\S]*?\))?\(\s*['"`]([^'"`]+)/g)) {
      for (const [number] of name.matchAll(NUMBER)) tested.add(number)
    }
  }
  return tested
}

/** Numbers that the contract of gates carries. */
async function contractNumbers(): Promise<Set<string>> {
  const held = new Set<string>()
  for await (const file of glob('packages/core/src/contracts/gate*.ts', { cwd: ROOT })) {
    const text = await readFile(path.join(ROOT, file), 'utf8')
    for (const [name] of text.matchAll(/^ +name: ['"`].+['"`],$/gm)) {
      for (const [number] of name.matchAll(NUMBER)) held.add(number)
    }
  }
  return held
}

it('finds the numbers of the page', async () => {
  const numbers = await definedNumbers()
  expect(numbers).toHaveLength(17 + 23 + 6)
})

it('every numbered rule of docs/lifecycle.md has a test that carries its number', async () => {
  const [tested, held] = [await testedNumbers(), await contractNumbers()]
  expect((await definedNumbers()).filter((number) => !tested.has(number) && !held.has(number))).toEqual([])
})

it('every numbered rule that a store takes part in is held by the contract of gates', async () => {
  const held = await contractNumbers()
  const missing = (await definedNumbers()).filter((number) => !held.has(number))
  expect(missing).toEqual(Object.keys(WITHOUT_A_STORE))
})

it.each(['memory', 'SQLite', 'PostgreSQL'])('the contract of gates runs over %s', async (store) => {
  const files = { memory: 'packages/core', SQLite: 'packages/store', PostgreSQL: 'packages/store' }
  const text = await readFile(path.join(ROOT, files[store as 'memory'], 'test/gate.contract.test.ts'), 'utf8')
  expect(text).toMatch(
    store === 'memory' ? /describeGate\('localGate', / : new RegExp(`describeGate\\('[^']*${store}'`),
  )
})
