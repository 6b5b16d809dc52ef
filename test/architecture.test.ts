import { describe, expect, it } from 'vitest'
import { ROOT } from '../scripts/workspace.ts'
import { RULES } from './architecture/rules.ts'
import { readTexts, treeOf } from './architecture/tree.ts'

describe('the repository', () => {
  const tree = treeOf(readTexts(ROOT))

  it.each(Object.entries(RULES))('holds: %s', (_, rule) => {
    expect(rule(tree)).toEqual([])
  })
})

describe('a tree in which something is wrong', () => {
  it('is told from one in which nothing is', () => {
    expect(violations({})).toEqual([])
  })

  it.each<[sentence: string, rule: string, changes: Record<string, string>]>([
    ['core knows another package', 'arrows', { 'core/src/intent.ts': `import '@silentauth/verify'` }],
    ['an adapter knows the sdk', 'arrows', { 'langchain/src/index.ts': `import type { S } from '@silentauth/sdk'` }],
    ['an adapter knows an adapter', 'arrows', { 'langchain/src/index.ts': `export { a } from '@silentauth/openai'` }],
    ['verify knows the sdk', 'arrows', { 'verify/src/index.ts': `const sdk = await import('@silentauth/sdk')` }],
    ['the sdk knows the store', 'arrows', { 'sdk/src/index.ts': `import '@silentauth/store/sqlite'` }],
    ['the sdk knows the server', 'arrows', { 'sdk/src/index.ts': `type S = import('@silentauth/server').S` }],
    ['the dashboard knows the sdk', 'arrows', { 'dashboard/src/main.tsx': `import '@silentauth/sdk'` }],
    ['a package is new', 'arrows', { 'gadget/package.json': '{ "name": "@silentauth/gadget" }' }],
    [
      'a relative import leaves its package',
      'doors between packages',
      { 'sdk/src/index.ts': `import '../../core/src/wire.js'` },
    ],
    [
      'a package is entered by the window',
      'doors between packages',
      { 'sdk/src/index.ts': `import '@silentauth/core/src/wire.js'` },
    ],
    ['two files know each other', 'cycles', { 'core/src/errors.ts': `import type { Intent } from './intent.js'` }],
    ['a noun knows one above it', "core's order", { 'core/src/intent.ts': `import './lifecycle.js'` }],
    [
      'a noun is led upwards by another file',
      "core's order",
      {
        'core/src/vote.ts': `import './tally.js'`,
        'core/src/tally.ts': `import './local-gate.js'`,
      },
    ],
    ['core imports its own wire', "core's leaves", { 'core/src/store.ts': `import './wire.js'` }],
    ['core imports its own Node part', "core's leaves", { 'core/src/store.ts': `import './node.js'` }],
    ['core needs Node', "core's runtime", { 'core/src/intent.ts': `import { readFileSync } from 'node:fs'` }],
    [
      'the pages lead to a file that needs Node',
      "the dashboard's runtime",
      {
        'dashboard/src/main.tsx': `import '@silentauth/core'`,
        'core/src/index.ts': `export { currentPermit } from './current-permit.js'`,
      },
    ],
    ['a barrel', 'no export *', { 'core/src/index.ts': `export * from './intent.js'` }],
    ['a barrel with a name', 'no export *', { 'core/src/index.ts': `export * as intents from './intent.js'` }],
    ['an import that no install brings', 'imported means declared', { 'sdk/src/index.ts': `import 'left-pad'` }],
    [
      'a tool of development in shipped code',
      'imported means declared',
      { 'sdk/src/index.ts': `import type {} from 'vitest'` },
    ],
    ['a dependency that nothing needs', 'declared means used', { 'verify/src/index.ts': '' }],
    ['a tool that nothing mentions', 'declared means used', { 'sdk/test/sdk.test.ts': '' }],
    [
      'an example that works only here',
      'examples enter by the door',
      {
        '../examples/demo/demo.ts': `import '../../packages/core/src/index.ts'`,
      },
    ],
    ['a folder of one machine', 'no machine, no registry', { '../docs/a.md': `see ${['', 'work', 'main'].join('/')}` }],
    [
      'the host of a registry',
      'no machine, no registry',
      { '../.npmrc': `r=https://${['registry', 'example', 'org'].join('.')}` },
    ],
  ])('%s', (_, rule, changes) => {
    expect(violations(changes).map((violation) => violation.rule)).toContain(rule)
  })
})

/** A small repository in which all is well, with some of its files under `packages/` replaced. */
function violations(changes: Record<string, string>): { rule: string; sentence: string }[] {
  const manifest = (name: string, dependencies: string[], more: object = {}) =>
    JSON.stringify({
      name,
      exports: { '.': { '@silentauth/source': './src/index.ts' } },
      dependencies: Object.fromEntries(dependencies.map((dependency) => [dependency, '*'])),
      ...more,
    })
  const files = {
    'core/package.json': manifest('@silentauth/core', []),
    'core/src/index.ts': `export { intent } from './intent.js'`,
    'core/src/errors.ts': '',
    'core/src/intent.ts': `import type { E } from './errors.js'`,
    'core/src/vote.ts': `import type { Intent } from './intent.js'`,
    'core/src/tally.ts': '',
    'core/src/lifecycle.ts': `import { tally } from './vote.js'`,
    'core/src/store.ts': `import type { State } from './lifecycle.js'`,
    'core/src/local-gate.ts': `import type { Store } from './store.js'`,
    'core/src/wire.ts': `import type { Intent } from './intent.js'`,
    'core/src/current-permit.ts': `import { AsyncLocalStorage } from 'node:async_hooks'`,
    'core/src/node.ts': `import { verify } from 'node:crypto'`,
    'verify/package.json': manifest('@silentauth/verify', ['@silentauth/core']),
    'verify/src/index.ts': `import '@silentauth/core'`,
    'sdk/package.json': manifest('@silentauth/sdk', [], { devDependencies: { vitest: '*' } }),
    'sdk/src/index.ts': '',
    'sdk/test/sdk.test.ts': `import { it } from 'vitest'`,
    'langchain/package.json': manifest('@silentauth/langchain', []),
    'openai/package.json': manifest('@silentauth/openai', []),
    'store/package.json': manifest('@silentauth/store', []),
    'server/package.json': manifest('@silentauth/server', []),
    'dashboard/package.json': manifest('@silentauth/dashboard', []),
    'dashboard/src/main.tsx': 'export const page = <p>hello</p>',
    ...changes,
  }
  const texts = Object.entries(files).map(([file, text]): [string, string] => [
    file.startsWith('../') ? file.slice(3) : `packages/${file}`,
    text,
  ])
  const tree = treeOf(new Map(texts))
  return Object.entries(RULES).flatMap(([rule, check]) => check(tree).map((sentence) => ({ rule, sentence })))
}
