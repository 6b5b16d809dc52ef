import { describe, expect, it } from 'vitest'
import { faultsOf, withOwnDependencies } from '../scripts/tarballs.ts'

const manifest = {
  name: '@silentauth/sdk',
  exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
  bin: { sa: './bin/sa.js' },
  dependencies: { '@silentauth/core': '^0.1.0' },
}

/** A package in which nothing is wrong, with some of its files replaced; null removes one. */
function aPackage(changes: Record<string, string | null> = {}, manifestChanges: object = {}): Map<string, string> {
  const files: Record<string, string | null> = {
    'package.json': JSON.stringify({ ...manifest, ...manifestChanges }),
    'README.md': '# sdk',
    LICENSE: 'Apache License',
    'bin/sa.js': `import '../dist/index.js'`,
    'dist/index.js': `import { a } from '@silentauth/core'; import 'node:fs'`,
    'dist/index.d.ts': `export type { A } from './a.js'`,
    'dist/a.d.ts': `export type A = import('@silentauth/core/wire').A`,
    ...changes,
  }
  return new Map(Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== null))
}

describe('a packed package', () => {
  it('has no fault when all is well', () => {
    expect(faultsOf(aPackage())).toEqual([])
  })

  it.each<[sentence: string, contents: Map<string, string>, fault: string]>([
    ['a workspace range', aPackage({}, { dependencies: { '@silentauth/core': 'workspace:^' } }), 'workspace:'],
    [
      'the source condition',
      aPackage({}, { publishConfig: { exports: { '@silentauth/source': './src/index.ts' } } }),
      '@silentauth/source',
    ],
    ['no licence', aPackage({ LICENSE: null }), 'LICENSE'],
    ['no README', aPackage({ 'README.md': null }), 'README.md'],
    ['sources', aPackage({ 'src/index.ts': '' }), 'src/index.ts'],
    ['no declarations for an export', aPackage({ 'dist/index.d.ts': null }), 'dist/index.d.ts'],
    ['no file behind its command', aPackage({ 'bin/sa.js': null }), 'bin/sa.js'],
    ['declarations that lead nowhere', aPackage({ 'dist/a.d.ts': null }), './a.js'],
    [
      'declarations that need more than is installed',
      aPackage({ 'dist/a.d.ts': `import type { Z } from 'zod'` }),
      'zod',
    ],
    ['code that needs more than is installed', aPackage({ 'dist/index.js': `await import('undici')` }), 'undici'],
  ])('is refused with %s', (_, contents, fault) => {
    expect(faultsOf(contents)).toEqual([expect.stringContaining(fault)])
  })
})

it('is installed with all of ours that it needs, and nothing else', () => {
  const folder = '/nowhere'
  const all = [
    { folder, manifest: { name: 'adapter', dependencies: { core: '1', jose: '6' } } },
    { folder, manifest: { name: 'core' } },
    { folder, manifest: { name: 'server', dependencies: { core: '1' } } },
    { folder, manifest: { name: 'sdk', dependencies: { verify: '1', core: '1' } } },
    { folder, manifest: { name: 'verify', dependencies: { core: '1' } } },
  ]
  const names = (name: string) => withOwnDependencies(name, all).map(({ manifest }) => manifest.name)
  expect(names('adapter')).toEqual(['adapter', 'core'])
  expect(names('sdk')).toEqual(['sdk', 'verify', 'core'])
})
