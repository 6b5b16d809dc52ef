import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { PEER_PROJECTS, type PeerProject } from '../scripts/peer-projects.ts'
import { readmeExample } from '../scripts/readme-example.ts'
import { packages, ROOT, readManifest } from '../scripts/workspace.ts'

const ADAPTERS = [...new Set(PEER_PROJECTS.map(({ adapter }) => adapter))]

const manifestOf = (adapter: string) => readManifest(path.join(ROOT, 'packages', adapter))
const readmeOf = (adapter: string) => `packages/${adapter}/README.md`
const ranges = ADAPTERS.flatMap((adapter) =>
  Object.entries(manifestOf(adapter).peerDependencies ?? {}).flatMap(([peer, range]) =>
    range.split(' || ').map((one) => ({ adapter, peer, range: one })),
  ),
)

/** Every version of a peer that a project uses with an adapter. */
function used(adapter: string, peer: string): string[] {
  return PEER_PROJECTS.filter((project) => project.adapter === adapter).flatMap(({ peers }) => peers[peer] ?? [])
}

/** `^18` is `18.0.0` and up. */
function oldestOf(range: string): string {
  const [major, minor = 0, patch = 0] = range.slice(1).split('.').map(Number)
  return [major, minor, patch].join('.')
}

/** The first number that is not zero, with all before it: what `^` keeps. */
function lineOf(version: string): string {
  return /^(0\.)*\d+/.exec(version)?.[0] ?? ''
}

describe('a peer range', () => {
  it.each(ranges)('of $adapter, $peer $range, begins with a version that is used', ({ adapter, peer, range }) => {
    expect(range).toMatch(/^\^[\d.]+$/)
    expect(used(adapter, peer)).toContain(oldestOf(range))
  })

  it.each(ranges)(
    'of $adapter, $peer $range, is also used with a newer version, if there is one',
    ({ adapter, peer, range }) => {
      const inRange = used(adapter, peer).filter((version) => lineOf(version) === lineOf(oldestOf(range)))
      // Nothing newer than 0.20.0 was published.
      expect(new Set(inRange).size).toBeGreaterThan(peer === '@openai/agents' ? 0 : 1)
    },
  )

  it.each(PEER_PROJECTS)('has no version that is used outside of it: $adapter, $peers', ({ adapter, peers }) => {
    const outside = Object.entries(peers).filter(
      ([peer, version]) =>
        !ranges.some(
          (one) => one.adapter === adapter && one.peer === peer && lineOf(oldestOf(one.range)) === lineOf(version),
        ),
    )
    expect(outside).toEqual([])
  })
})

describe('a throw-away project', () => {
  it('is there for every package with a framework for a peer', () => {
    // What runs tests, and what a store talks through, are no frameworks.
    const others = new Set(['vitest', 'pg'])
    const withPeers = packages('public').filter(({ manifest }) =>
      Object.keys(manifest.peerDependencies ?? {}).some((peer) => !others.has(peer)),
    )
    expect(ADAPTERS.toSorted()).toEqual(withPeers.map(({ folder }) => path.basename(folder)).toSorted())
  })

  it.each(PEER_PROJECTS)('uses entry points that $adapter has: $entries', ({ adapter, entries }) => {
    const exported = Object.keys(manifestOf(adapter).exports ?? {})
    expect(entries.filter((entry) => !exported.includes(entry))).toEqual([])
  })

  it.each(ADAPTERS)('uses all entry points of %s in one of them', (adapter) => {
    const all = Object.keys(manifestOf(adapter).exports ?? {}).filter((entry) => entry !== './package.json')
    const mine = PEER_PROJECTS.filter((project) => project.adapter === adapter).map(({ entries }) => entries.length)
    expect(Math.max(...mine)).toBe(all.length)
  })

  it.each(PEER_PROJECTS.filter(({ renamed }) => renamed))(
    'renames only what the README says: $peers',
    ({ adapter, example, renamed = {} }: PeerProject) => {
      const readme = readFileSync(path.join(ROOT, readmeOf(adapter)), 'utf8')
      const { file, files } = readmeExample(readmeOf(adapter), example)
      for (const [name, other] of Object.entries(renamed)) {
        expect(files.get(file)).toContain(name)
        expect(readme).toContain(`\`${other}\``)
      }
    },
  )
})

describe('the example of a README', () => {
  it.each(PEER_PROJECTS)('of $adapter is found under "$example"', ({ adapter, example }) => {
    const { file, files } = readmeExample(readmeOf(adapter), example)
    expect(files.get(file)).toContain(`from '@silentauth/${adapter}`)
  })

  it('brings along what it imports, and what that imports', () => {
    const { files } = readmeExample(readmeOf('langchain'), 'A complete example')
    expect([...files.keys()]).toEqual(
      expect.arrayContaining(['examples/demo/model.ts', 'examples/demo/scripted-openai.ts']),
    )
  })

  it('is refused where there is none', () => {
    expect(() => readmeExample(readmeOf('langchain'), 'No such heading')).toThrow('No such heading')
  })
})
