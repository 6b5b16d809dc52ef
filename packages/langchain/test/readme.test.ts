import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

const root = path.join(import.meta.dirname, '../../..')
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

it('the example of the README is the file that is run', () => {
  expect(read('packages/langchain/README.md')).toContain(`\`\`\`ts\n${read('examples/langchain/refund.ts')}\`\`\`\n`)
})

it.each(['@langchain/langgraph', '@langchain/langgraph-sdk', '@langchain/protocol'])(
  'the README pins %s where the workspace does',
  (name) => {
    const [, version] = new RegExp(`"${name}": ([\\d.]+)`).exec(read('pnpm-workspace.yaml')) ?? []
    expect(version).toBeDefined()
    expect(read('packages/langchain/README.md')).toContain(`"${name}": "${version}"`)
  },
)
