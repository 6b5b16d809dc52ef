import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

const root = path.join(import.meta.dirname, '../../..')
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

it('the example of the README is the file that is run', () => {
  expect(read('packages/ai-sdk/README.md')).toContain(`\`\`\`ts\n${read('examples/ai-sdk/refund.ts')}\`\`\`\n`)
})
