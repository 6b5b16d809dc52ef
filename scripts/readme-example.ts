/**
 * The example of a README, as the program that it is: the code block itself, with the files beside it that it imports.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { importsOf } from './imports.ts'
import { ROOT } from './workspace.ts'

export interface ReadmeExample {
  /** Relative to the root of this repository. */
  readonly file: string
  /** Texts by path: the example's own, and every file that it leads to. */
  readonly files: ReadonlyMap<string, string>
}

/**
 * The first block of TypeScript under a heading. A link above it to a file in `examples` says where its imports lead from.
 *
 * @throws when there is none, or when it imports a file that is not there
 */
export function readmeExample(readme: string, heading: string): ReadmeExample {
  const text = readFileSync(path.join(ROOT, readme), 'utf8')
  const start = text.search(new RegExp(`^#+ ${heading}$`, 'm'))
  const section = start < 0 ? '' : text.slice(start).split(/\n(?=## )/)[0]
  const [, before = '', code] = /^([\s\S]*?)\n```ts\n([\s\S]*?)```$/m.exec(section ?? '') ?? []
  if (code === undefined) throw new Error(`${readme} has no example under "${heading}"`)
  const linked = /\]\(\.\.\/\.\.\/(examples\/[^)]+\.ts)\)/.exec(before)?.[1]
  const file = linked ?? 'examples/readme/example.ts'
  const files = new Map([[file, code]])
  for (const [from, itsText] of files) {
    for (const { specifier } of importsOf(from, itsText)) {
      if (!specifier.startsWith('.')) continue
      const target = path.posix.join(path.posix.dirname(from), specifier)
      if (!existsSync(path.join(ROOT, target))) throw new Error(`${readme}: ${specifier} of ${from} is not there`)
      if (!files.has(target)) files.set(target, readFileSync(path.join(ROOT, target), 'utf8'))
    }
  }
  return { file, files }
}
