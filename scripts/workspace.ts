/**
 * The packages of this repository, as their manifests describe them.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export const ROOT = path.dirname(import.meta.dirname)

/** A file, or one for each condition. */
export type Target = string | { readonly [condition: string]: Target }

export interface Manifest {
  name: string
  version?: string
  private?: boolean
  exports?: Record<string, string | Record<string, Target>>
  bin?: Record<string, string>
  dependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

export interface Package {
  /** Absolute. */
  folder: string
  manifest: Manifest
}

/** All packages, or only those that are published. */
export function packages(which: 'all' | 'public' = 'all'): Package[] {
  const parent = path.join(ROOT, 'packages')
  return readdirSync(parent)
    .map((name) => path.join(parent, name))
    .filter((folder) => existsSync(path.join(folder, 'package.json')))
    .map((folder) => ({ folder, manifest: readManifest(folder) }))
    .filter(({ manifest }) => which === 'all' || !manifest.private)
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest
}
