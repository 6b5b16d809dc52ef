/**
 * The throw-away projects in which `npm run peers` uses each adapter as its users do: with nothing but its framework, in the
 * oldest and the newest versions that its package.json allows. The docs say these versions, and a test holds the ranges to them.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from './workspace.ts'

export interface PeerProject {
  /** Of the adapter: its folder in `packages`. */
  readonly adapter: 'ai-sdk' | 'langchain' | 'openai'
  /** Exact versions of its peers. */
  readonly peers: Readonly<Record<string, string>>
  /** Exact versions of what its README's example needs beside. */
  readonly beside: Readonly<Record<string, string>>
  /** Exact versions of what the framework itself depends on, as the project pins them. */
  readonly overrides?: Readonly<Record<string, string>>
  /** The heading in the README under which its example stands. */
  readonly example: string
  /** The entry points that can be used with these peers. */
  readonly entries: readonly string[]
  /** What this version calls otherwise than the example does; the README says so. */
  readonly renamed?: Readonly<Record<string, string>>
}

const EXAMPLE = 'A complete example'
const LANGCHAIN = { adapter: 'langchain', example: EXAMPLE, entries: ['.', './langgraph', './middleware'] } as const
const AI_SDK = { adapter: 'ai-sdk', example: EXAMPLE, entries: ['.', './react'] } as const
const OPENAI_AGENTS = { adapter: 'openai', example: EXAMPLE, entries: ['.', './agents'] } as const
const OPENAI = { adapter: 'openai', example: 'A complete example with the plain client', entries: ['.'] } as const
const zod = '4.6.7'
/** The declarations of the AI SDK need it, and do not bring it. */
const json = { '@types/json-schema': '7.0.15' }

export const PEER_PROJECTS: readonly PeerProject[] = [
  {
    ...LANGCHAIN,
    peers: { langchain: '1.5.0', '@langchain/core': '1.2.0', '@langchain/langgraph': '1.4.4' },
    beside: { '@langchain/openai': '1.5.0', zod },
    overrides: { '@langchain/langgraph': '1.4.4' },
  },
  {
    ...LANGCHAIN,
    peers: { langchain: '1.5.14', '@langchain/core': '1.2.13', '@langchain/langgraph': '1.4.18' },
    beside: { '@langchain/openai': '1.6.0', zod },
    overrides: workspaceOverrides(),
  },
  {
    ...LANGCHAIN,
    peers: { langchain: '1.5.14', '@langchain/core': '1.4.0', '@langchain/langgraph': '1.7.3' },
    beside: { '@langchain/openai': '1.6.0', zod },
  },
  {
    ...AI_SDK,
    peers: { ai: '6.0.202', react: '18.0.0' },
    beside: { '@ai-sdk/openai-compatible': '2.0.87', '@types/react': '18.3.8', ...json, zod },
    renamed: { isStepCount: 'stepCountIs' },
  },
  {
    ...AI_SDK,
    peers: { ai: '6.0.326', react: '18.3.1' },
    beside: { '@ai-sdk/openai-compatible': '2.0.87', '@types/react': '18.3.8', ...json, zod },
    renamed: { isStepCount: 'stepCountIs' },
  },
  {
    ...AI_SDK,
    peers: { ai: '7.0.0', react: '19.0.0' },
    beside: { '@ai-sdk/openai-compatible': '3.0.0', '@types/react': '19.3.0', ...json, zod },
  },
  {
    ...AI_SDK,
    peers: { ai: '7.0.173', react: '19.3.1' },
    beside: { '@ai-sdk/openai-compatible': '3.0.92', '@types/react': '19.3.0', ...json, zod },
  },
  { ...OPENAI_AGENTS, peers: { '@openai/agents': '0.20.0', openai: '7.2.0' }, beside: { zod } },
  { ...OPENAI_AGENTS, peers: { '@openai/agents': '0.20.0', openai: '7.57.0' }, beside: { zod } },
  { ...OPENAI, peers: { openai: '7.2.0' }, beside: { zod } },
  { ...OPENAI, peers: { openai: '7.57.0' }, beside: { zod } },
]

/** `name version, name version`. */
export function versionsOf({ peers }: PeerProject): string {
  return Object.entries(peers)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')
}

/** As Markdown: what was run, one line for each project of an adapter. */
export function peerVersions(adapter: string): string {
  const projects = PEER_PROJECTS.filter((project) => project.adapter === adapter)
  if (projects.length === 0) throw new Error(`no project uses ${adapter}`)
  const names = [...new Set(projects.flatMap(({ peers }) => Object.keys(peers)))]
  const rows = projects.map(({ peers }) => names.map((name) => peers[name] ?? '–'))
  return [names.map((name) => `\`${name}\``), names.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('')
}

/** Those of this workspace, which the README tells users of LangGraph 1.4. */
function workspaceOverrides(): Record<string, string> {
  const text = readFileSync(path.join(ROOT, 'pnpm-workspace.yaml'), 'utf8')
  const lines = text.slice(text.indexOf('\noverrides:')).matchAll(/^ {2}"(@[^"]+)": ([\d.]+)$/gm)
  return Object.fromEntries([...lines].map(([, name = '', version = '']) => [name, version]))
}
