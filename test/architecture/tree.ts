/**
 * The repository as the architecture rules see it: texts by path, with the imports of every source resolved.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { type Import, importsOf } from '../../scripts/imports.ts'
import type { Manifest } from '../../scripts/workspace.ts'

/** Texts by path, relative to the root, with `/` between the steps. */
export type Texts = ReadonlyMap<string, string>

export interface Source {
  /** `packages/core/src/intent.ts` */
  file: string
  /** `core`: the folder of the package. */
  package: string
  imports: readonly ResolvedImport[]
}

export interface ResolvedImport extends Import {
  /** The source that a relative import leads to, in the same package or another; undefined when there is none. */
  target: string | undefined
}

export interface Tree {
  texts: Texts
  sources: readonly Source[]
  /** By the folder of the package. */
  manifests: ReadonlyMap<string, Manifest>
}

/** Never the work of a person. */
const SKIPPED = new Set(['node_modules', 'dist', '.git', '.turbo', '.artifacts', '.silentauth'])
const BINARY = /\.(png|jpe?g|gif|ico|woff2?|ttf|db|sqlite|gz|tgz)$/

/** Reads every text file below `root`. */
export function readTexts(root: string): Texts {
  const texts = new Map<string, string>()
  const read = (folder: string) => {
    for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const file = path.posix.join(folder, entry.name)
      if (SKIPPED.has(entry.name)) continue
      if (entry.isDirectory()) read(file)
      else if (entry.isFile() && !BINARY.test(file)) texts.set(file, readFileSync(path.join(root, file), 'utf8'))
    }
  }
  read('')
  return texts
}

/** Only code is parsed: the sources of the packages, and whatever else a package runs. */
export function treeOf(texts: Texts): Tree {
  const sources: Source[] = []
  const manifests = new Map<string, Manifest>()
  for (const [file, text] of texts) {
    const [parent, name, ...rest] = file.split('/')
    if (parent !== 'packages' || name === undefined) continue
    if (rest.join('/') === 'package.json') manifests.set(name, JSON.parse(text) as Manifest)
    if (rest[0] !== 'src' || !/\.(ts|tsx|mts|js|mjs)$/.test(file)) continue
    const imports = importsOf(file, text).map((found) => ({ ...found, target: targetOf(file, found.specifier, texts) }))
    sources.push({ file, package: name, imports })
  }
  return { texts, sources, manifests }
}

function targetOf(file: string, specifier: string, texts: Texts): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const exact = path.posix.join(path.posix.dirname(file), specifier)
  const stem = exact.replace(/\.jsx?$/, '')
  return [exact, `${stem}.ts`, `${stem}.tsx`, `${stem}/index.ts`].find((candidate) => texts.has(candidate))
}
