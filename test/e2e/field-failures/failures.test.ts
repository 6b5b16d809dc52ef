import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { FIELD_FAILURES } from './failures.ts'

const folder = import.meta.dirname
const tests = readdirSync(folder)
  .filter((file) => file.endsWith('.test.ts') && file !== path.basename(import.meta.filename))
  .map((file) => readFileSync(path.join(folder, file), 'utf8'))

it.each(Object.keys(FIELD_FAILURES))('%s has its tests', (name) => {
  expect(tests.some((text) => text.includes(`describeFailure('${name}'`))).toBe(true)
})

it.each(Object.entries(FIELD_FAILURES))('every code that is promised is asserted: %s', (_, { ours }) => {
  const codes = [...ours.matchAll(/`([A-Z]+_[A-Z_]+)`/g)].map(([, code]) => code as string)
  expect(codes.filter((code) => !tests.some((text) => text.includes(`'${code}'`)))).toEqual([])
})
