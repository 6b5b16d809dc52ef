import { glob, readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it } from 'vitest'

const ROOT = path.join(import.meta.dirname, '..')

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
      for (const [number] of name.matchAll(/\b[IEP]\d+\b/g)) tested.add(number)
    }
  }
  return tested
}

it('finds the numbers of the page', async () => {
  const numbers = await definedNumbers()
  expect(numbers).toHaveLength(17 + 23 + 6)
})

it('every numbered rule of docs/lifecycle.md has a test that carries its number', async () => {
  const tested = await testedNumbers()
  expect((await definedNumbers()).filter((number) => !tested.has(number))).toEqual([])
})
