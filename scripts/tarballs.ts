/**
 * Tarballs of the public packages as pnpm publishes them, and what must be true of each: pnpm alone rewrites `workspace:`
 * ranges and drops the source condition, so a tarball made by anything else would not work elsewhere.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { importsOf, packageOf } from './imports.ts'
import { type Manifest, type Package, packages, type Target } from './workspace.ts'

const run = promisify(execFile)

/** The files of a tarball by their path within the package. */
export type Contents = ReadonlyMap<string, string>

/** Packs every public package into `folder`, which is emptied first; gives the tarballs' paths. */
export async function packAll(folder: string): Promise<string[]> {
  await rm(folder, { recursive: true, force: true })
  return [...(await pack(packages('public'), folder)).values()].sort()
}

/** Packs these into `folder`; gives the tarballs' paths by the packages' names. */
export async function pack(some: readonly Package[], folder: string): Promise<Map<string, string>> {
  await mkdir(folder, { recursive: true })
  const tarballs = new Map<string, string>()
  for (const { folder: cwd, manifest } of some) {
    await run('pnpm', ['pack', '--pack-destination', folder], { cwd })
    const file = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`
    tarballs.set(manifest.name, path.join(folder, file))
  }
  return tarballs
}

/** A package with all of ours that its users install along with it, itself first. */
export function withOwnDependencies(name: string, all: readonly Package[] = packages()): Package[] {
  const found = new Map<string, Package>()
  const visit = (wanted: string): void => {
    const it = all.find(({ manifest }) => manifest.name === wanted)
    if (it === undefined || found.has(wanted)) return
    found.set(wanted, it)
    for (const dependency of Object.keys(it.manifest.dependencies ?? {})) visit(dependency)
  }
  visit(name)
  return [...found.values()]
}

export async function contentsOf(tarball: string): Promise<Contents> {
  const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-pack-'))
  try {
    await run('tar', ['-xzf', tarball, '-C', folder])
    const root = path.join(folder, 'package')
    const entries = await readdir(root, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name))
    const texts = files.map(
      async (file): Promise<[string, string]> => [
        path.relative(root, file).split(path.sep).join('/'),
        await readFile(file, 'utf8'),
      ],
    )
    return new Map(await Promise.all(texts))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What is wrong with a package as packed, one sentence each; empty when nothing is. */
export function faultsOf(contents: Contents): string[] {
  const text = contents.get('package.json')
  if (text === undefined) return ['there is no package.json']
  const manifest = JSON.parse(text) as Manifest
  return [
    ...['workspace:', '@silentauth/source'].filter((word) => text.includes(word)).map((w) => `package.json says ${w}`),
    ...['README.md', 'LICENSE'].filter((file) => !contents.has(file)).map((file) => `${file} is missing`),
    ...[...contents.keys()]
      .filter((file) => /^(src|test)\/|(?<!\.d)\.tsx?$|\.tsbuildinfo$/.test(file))
      .map((file) => `${file} does not belong into it`),
    ...targetsOf(manifest)
      .filter((target) => !contents.has(target))
      .map((target) => `package.json names ${target}, which is missing`),
    ...importFaultsOf(contents, manifest),
  ]
}

/** Every file that `exports` and `bin` lead to. */
function targetsOf({ exports = {}, bin = {} }: Manifest): string[] {
  const filesOf = (target: Target): string[] =>
    typeof target === 'string' ? [target] : Object.values(target).flatMap(filesOf)
  const targets = Object.values(exports).flatMap(filesOf)
  return [...targets, ...Object.values(bin)].map((target) => target.replace(/^\.\//, ''))
}

/** Code and declarations may lead only to files that are there, and to what a user's install brings along. */
function importFaultsOf(contents: Contents, manifest: Manifest): string[] {
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies, [manifest.name]: '' }
  return [...contents]
    .filter(([file]) => /\.(js|d\.ts)$/.test(file) && !file.startsWith('dist/dashboard/'))
    .flatMap(([file, text]) =>
      importsOf(file, text).flatMap(({ specifier }) => {
        const name = packageOf(specifier)
        if (name !== undefined) return name in declared ? [] : [`${file} imports ${name}, which is not declared`]
        if (!specifier.startsWith('.')) return []
        const target = path.posix.join(path.posix.dirname(file), specifier)
        const wanted = file.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target
        return contents.has(wanted) ? [] : [`${file} imports ${specifier}, which is missing`]
      }),
    )
}
