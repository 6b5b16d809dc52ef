import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

const root = path.join(import.meta.dirname, '../../..')
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

it.each([
  'openai-agents/refund.ts',
  'openai-agents/suspended.ts',
  'openai-plain/refund.ts',
  'openai-plain/suspended.ts',
])('an example of the README is the file that is run: %s', (file) => {
  expect(read('packages/openai/README.md')).toContain(`\`\`\`ts\n${read(`examples/${file}`)}\`\`\`\n`)
})
