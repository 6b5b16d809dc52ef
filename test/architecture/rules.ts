/**
 * The arrows of the architecture, as rules over import statements. A rule gives one sentence per violation, so that the
 * sentence tells what to change.
 *
 * @module
 */
import path from 'node:path'
import { packageOf } from '../../scripts/imports.ts'
import type { Manifest } from '../../scripts/workspace.ts'
import type { Source, Tree } from './tree.ts'

/** Which of our packages each may import: everything that is not drawn is forbidden. */
const ARROWS: Record<string, readonly string[]> = {
  core: [],
  verify: ['core'],
  sdk: ['core', 'verify'],
  langchain: ['core'],
  openai: ['core'],
  'ai-sdk': ['core'],
  mcp: ['core'],
  store: ['core'],
  server: ['core', 'store'],
  dashboard: ['core'],
  cli: ['core', 'verify', 'sdk', 'server', 'store'],
}

/** Core's nouns import downwards only: those of a line know the lines above it, and never those below. */
const CORE_ORDER: readonly (readonly string[])[] = [
  ['errors', 'canonical-json'],
  ['params', 'intent', 'policy', 'vote'],
  ['lifecycle', 'permit', 'audit'],
  ['store', 'gate'],
  ['local-gate'],
]

/** Entry points of core that nothing else in core imports. */
const CORE_LEAVES = ['wire', 'testing', 'contracts', 'node']

/** Core runs in any runtime. What may use Node all the same, and what for. */
const CORE_NODE: Record<string, readonly string[]> = {
  'node.ts': ['node:crypto'],
  // Every runtime that agents run in has AsyncLocalStorage under this name.
  'current-permit.ts': ['node:async_hooks'],
}

/** Not imported by name, but needed by what is: types, plug-ins named in another language, the frameworks' own peers. */
const USED_ELSEWHERE = /^@types\/|^tailwindcss$/

/** Folders of one machine, hosts of package registries, and what a lockfile or an .npmrc says of them. */
const MACHINES =
  /(?:^|[\s"'`(=:])\/(?:work|root)\/|\bregistry\.[a-z0-9-]+\.(?:org|com|net|io|dev|local)\b|\bdeb\.debian\.|tarball: +http|_auth(?:Token)/

export const RULES: Record<string, (tree: Tree) => string[]> = {
  arrows,
  'doors between packages': doors,
  cycles,
  "core's order": coreOrder,
  "core's leaves": coreLeaves,
  "core's runtime": coreRuntime,
  "the dashboard's runtime": dashboardRuntime,
  'no export *': exportsAll,
  'imported means declared': imported,
  'declared means used': declared,
  'examples enter by the door': examples,
  'no machine, no registry': machines,
}

function arrows({ sources, manifests }: Tree): string[] {
  const unknown = [...manifests.keys()].filter((name) => !(name in ARROWS)).map((name) => `${name}: has no arrows yet`)
  const crossings = sources.flatMap((source) =>
    source.imports.flatMap(({ specifier }) => {
      const to = ourPackage(specifier, manifests)
      if (to === undefined || to === source.package || ARROWS[source.package]?.includes(to)) return []
      return [`${source.file}: ${source.package} must not import ${to}`]
    }),
  )
  return [...unknown, ...crossings]
}

/** Another package is entered by its `exports` alone. */
function doors({ sources, manifests }: Tree): string[] {
  return sources.flatMap((source) =>
    source.imports.flatMap(({ specifier, target }) => {
      if (target !== undefined && !target.startsWith(`packages/${source.package}/`)) {
        return [`${source.file}: reaches into ${target}`]
      }
      const to = ourPackage(specifier, manifests)
      if (to === undefined) return []
      const manifest = manifests.get(to) as Manifest
      const door = `.${specifier.slice(manifest.name.length)}`
      return door in (manifest.exports ?? {}) ? [] : [`${source.file}: ${specifier} is not exported`]
    }),
  )
}

/** Types count too: what knows each other cannot be read in any order. */
function cycles({ sources }: Tree): string[] {
  const next = graphOf(sources)
  const done = new Set<string>()
  const found: string[] = []
  const walk = (file: string, trail: string[]): void => {
    if (trail.includes(file)) found.push([...trail.slice(trail.indexOf(file)), file].map(short).join(' → '))
    else if (!done.has(file)) {
      for (const to of next.get(file) ?? []) walk(to, [...trail, file])
      done.add(file)
    }
  }
  for (const file of next.keys()) walk(file, [])
  return found
}

/** Files that the order does not name may stand anywhere, but lead no noun upwards. */
function coreOrder({ sources }: Tree): string[] {
  const next = graphOf(sources)
  const line = (file: string) => CORE_ORDER.findIndex((nouns) => nouns.some((noun) => file === core(noun)))
  const upwards = (from: string, file: string, seen: Set<string>): string[] =>
    (next.get(file) ?? []).flatMap((to) => {
      if (seen.has(to)) return []
      seen.add(to)
      if (line(to) < 0) return upwards(from, to, seen)
      return line(to) > line(from) ? [`${from}: leads up to ${short(to)}, through ${short(file)}`] : []
    })
  return CORE_ORDER.flat().flatMap((noun) => upwards(core(noun), core(noun), new Set()))
}

function coreLeaves({ sources }: Tree): string[] {
  const leafOf = (file: string) =>
    CORE_LEAVES.find((leaf) => file === core(leaf) || file.startsWith(`${srcOf('core')}${leaf}/`))
  return sources.flatMap((source) =>
    source.imports.flatMap(({ target }) => {
      const leaf = target === undefined ? undefined : leafOf(target)
      if (source.package !== 'core' || leaf === undefined || leafOf(source.file) === leaf) return []
      return [`${source.file}: ${leaf} is a leaf, nothing in core imports it`]
    }),
  )
}

function coreRuntime({ sources }: Tree): string[] {
  return sources
    .filter((source) => source.package === 'core')
    .flatMap(({ file, imports }) => {
      const allowed = CORE_NODE[file.slice(srcOf('core').length)] ?? []
      return imports
        .map(({ specifier }) => specifier)
        .filter((specifier) => specifier.startsWith('node:') && !allowed.includes(specifier))
        .map((specifier) => `${file}: imports ${specifier}`)
    })
}

/** Whatever the pages import of core must run in a browser, all the way down. */
function dashboardRuntime({ sources, manifests }: Tree): string[] {
  const byFile = new Map(sources.map((source) => [source.file, source]))
  const reached = new Set<string>()
  const walk = (file: string): string[] => {
    const source = byFile.get(file)
    if (source === undefined || reached.has(file)) return []
    reached.add(file)
    return source.imports.flatMap(({ specifier, target }) => {
      if (specifier.startsWith('node:')) return [`${file}: imports ${specifier}, and the dashboard leads here`]
      const entry = entryOf(specifier, manifests)
      return [target, entry].flatMap((to) => (to === undefined ? [] : walk(to)))
    })
  }
  return sources.filter((source) => source.package === 'dashboard').flatMap(({ file }) => walk(file))
}

function exportsAll({ sources }: Tree): string[] {
  return sources.flatMap(({ file, imports }) =>
    imports.filter((found) => found.exportsAll).map(({ specifier }) => `${file}: export * from ${specifier}`),
  )
}

function imported({ sources, manifests }: Tree): string[] {
  return sources.flatMap((source) => {
    const manifest = manifests.get(source.package)
    // What is bundled needs to be there only while it is built.
    const bundled = manifest?.private ? manifest.devDependencies : {}
    const known = { ...manifest?.dependencies, ...manifest?.peerDependencies, ...bundled, [manifest?.name ?? '']: '' }
    return source.imports
      .map(({ specifier }) => packageOf(specifier))
      .filter((name) => name !== undefined && !(name in known))
      .map((name) => `${source.file}: ${name} is not a dependency of ${source.package}`)
  })
}

function declared({ sources, manifests, texts }: Tree): string[] {
  return [...manifests].flatMap(([name, manifest]) => {
    const own = sources.filter((source) => source.package === name)
    const imports = own.flatMap((source) => source.imports.map(({ specifier }) => packageOf(specifier)))
    const shipped = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
    const everywhere = [...texts]
      .filter(([file]) => file.startsWith(`packages/${name}/`) && !file.endsWith('package.json'))
      .map(([, text]) => text)
    const mentioned = (dependency: string) =>
      everywhere.some((text) => text.includes(`'${dependency}`) || text.includes(`"${dependency}`))
    return [
      ...shipped
        .filter((dependency) => !imports.includes(dependency))
        .map((dependency) => `${dependency}, and imports it nowhere`),
      ...Object.keys(manifest.devDependencies ?? {})
        .filter((dependency) => !USED_ELSEWHERE.test(dependency) && !mentioned(dependency))
        .map((dependency) => `${dependency} for development, and never mentions it`),
    ].map((sentence) => `packages/${name}: declares ${sentence}`)
  })
}

/** What a reader copies must work outside of this repository. */
function examples({ texts }: Tree): string[] {
  return [...texts]
    .filter(([file, text]) => file.startsWith('examples/') && /['"](\.\.\/)+packages\//.test(text))
    .map(([file]) => `${file}: reaches into packages/`)
}

/** Nothing that is true on one machine only. */
function machines({ texts }: Tree): string[] {
  return [...texts].flatMap(([file, text]) =>
    text
      .split('\n')
      .flatMap((line, index) => (MACHINES.test(line) ? [`${file}:${index + 1}: names a machine's own`] : [])),
  )
}

/** The folder of our package that a specifier names. */
function ourPackage(specifier: string, manifests: ReadonlyMap<string, Manifest>): string | undefined {
  const name = packageOf(specifier)
  return [...manifests].find(([, manifest]) => manifest.name === name)?.[0]
}

/** The source behind a specifier of one of our packages. */
function entryOf(specifier: string, manifests: ReadonlyMap<string, Manifest>): string | undefined {
  const to = ourPackage(specifier, manifests)
  const manifest = to === undefined ? undefined : manifests.get(to)
  const door = manifest?.exports?.[`.${specifier.slice(manifest.name.length)}`]
  const source = typeof door === 'object' ? door['@silentauth/source'] : undefined
  return typeof source !== 'string' ? undefined : path.posix.join('packages', to as string, source)
}

/** Which file leads to which, within packages. */
function graphOf(sources: readonly Source[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    sources.map(({ file, imports }) => [file, imports.flatMap(({ target }) => (target === undefined ? [] : [target]))]),
  )
}

function core(noun: string): string {
  return `${srcOf('core')}${noun}.ts`
}

function srcOf(name: string): string {
  return `packages/${name}/src/`
}

function short(file: string): string {
  return file.replace(/^packages\/([^/]+)\/src\//, '$1/')
}
