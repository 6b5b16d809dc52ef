/**
 * `npm run peers [adapter …]`: installs the packed adapters into empty projects with the oldest and the newest versions of their
 * frameworks, type-checks all that they export with every declaration of those frameworks, and runs the example of their
 * README before a gate: approved, it pays once; denied, it does not.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { IntentId } from '@silentauth/core'
import { type RunningServer, startServer } from '@silentauth/server'
import { signIn } from '../examples/demo/approver.ts'
import { scriptedOpenai, type Turn } from '../examples/demo/scripted-openai.ts'
import { PEER_PROJECTS, type PeerProject, versionsOf } from './peer-projects.ts'
import { type ReadmeExample, readmeExample } from './readme-example.ts'
import { pack, withOwnDependencies } from './tarballs.ts'

/** Each needs a whole core while it installs and compiles. */
const AT_ONCE = 2
const STEP_TIMEOUT_MS = 180_000
const POLL_MS = 50

/** The same example twice: what was approved is executed, what was denied is not. */
const VERDICTS = [
  { verdict: 'approve', execution: 'succeeded' },
  { verdict: 'deny', execution: 'none' },
] as const

/** Nothing is sent to anybody. */
const QUIET = { OPENAI_AGENTS_DISABLE_TRACING: '1' }

/** Of ours, what the projects import themselves. */
const BESIDE = ['@silentauth/core', '@silentauth/sdk']

const TSCONFIG = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    target: 'esnext',
    module: 'nodenext',
    // The frameworks' own declarations need the DOM, and do not hold under `exactOptionalPropertyTypes`.
    lib: ['esnext', 'dom', 'dom.iterable', 'dom.asynciterable'],
    types: ['node'],
    skipLibCheck: false,
    allowImportingTsExtensions: true,
  },
}

const wanted = process.argv.slice(2)
const projects = PEER_PROJECTS.filter(({ adapter }) => wanted.length === 0 || wanted.includes(adapter))
if (projects.length === 0) throw new Error(`no adapter is called ${wanted.join(', ')}`)

const root = await mkdtemp(path.join(tmpdir(), 'silentauth-peers-'))
try {
  process.env.SILENTAUTH_STATE = path.join(root, 'state')
  const own = projects
    .flatMap(({ adapter }) => [`@silentauth/${adapter}`, ...BESIDE])
    .flatMap((name) => withOwnDependencies(name))
  const tarballs = await pack(
    [...new Map(own.map((it) => [it.manifest.name, it])).values()],
    path.join(root, 'tarballs'),
  )
  const left = [...projects.entries()]
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      await report(next[1], String(next[0]), tarballs)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
} finally {
  await rm(root, { recursive: true, force: true })
}

async function report(project: PeerProject, name: string, tarballs: ReadonlyMap<string, string>): Promise<void> {
  const title = `${project.adapter}: ${versionsOf(project)}`
  try {
    await tryOut(project, path.join(root, name), tarballs)
    console.log(`ok     ${title}`)
  } catch (error) {
    console.log(`FAILED ${title}\n${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}

async function tryOut(project: PeerProject, folder: string, tarballs: ReadonlyMap<string, string>): Promise<void> {
  const example = readmeExample(`packages/${project.adapter}/README.md`, project.example)
  const dependencies = Object.fromEntries(
    [`@silentauth/${project.adapter}`, ...BESIDE].map((name) => [name, `file:${tarballs.get(name)}`]),
  )
  const files = new Map<string, string>([
    [
      'package.json',
      JSON.stringify({
        private: true,
        type: 'module',
        dependencies: { ...dependencies, ...project.peers, ...project.beside },
        devDependencies: { '@types/node': '^24' },
      }),
    ],
    // JSON is YAML. Our packages are not published yet, so what they ask of each other is found here, too.
    ['pnpm-workspace.yaml', JSON.stringify({ overrides: { ...filesOf(tarballs), ...project.overrides } })],
    ['tsconfig.json', JSON.stringify(TSCONFIG)],
    ['entries.ts', entriesOf(project)],
    ...example.files,
  ])
  for (const [from, to] of Object.entries(project.renamed ?? {})) {
    files.set(example.file, (files.get(example.file) ?? '').replaceAll(from, to))
  }
  for (const [file, content] of files) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true })
    await writeFile(path.join(folder, file), content)
  }
  await command('pnpm', ['install', '--ignore-scripts', '--no-frozen-lockfile', '--prefer-offline'], folder)
  await command('tsc', ['-p', folder], folder)
  await runExample(example, folder)
}

function filesOf(tarballs: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...tarballs].map(([name, tarball]) => [name, `file:${tarball}`]))
}

function entriesOf({ adapter, entries }: PeerProject): string {
  const specifiers = [
    ...entries.map((entry) => path.posix.join(`@silentauth/${adapter}`, entry)),
    '@silentauth/core',
    '@silentauth/core/testing',
  ]
  return specifiers.map((specifier, at) => `export * as entry${at} from '${specifier}'\n`).join('')
}

/** The gate is where `silentauth dev` would have left it; the decisions are a person's. */
async function runExample({ file, files }: ReadmeExample, folder: string): Promise<void> {
  await using gate = await startServer({ dataDir: path.join(folder, '.silentauth'), port: 0 })
  const approver = await signIn(await gate.signInLink(gate.owner.id))
  for (const { verdict, execution } of VERDICTS) {
    await using openai = await scriptedOpenai(({ messages }) => answerTo(messages.at(-1)))
    // An example that has files beside it brings a scripted model along.
    const { apiKey, url } = files.size > 1 ? { apiKey: '', url: '' } : openai
    const env = { ...process.env, ...QUIET, OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: url }
    const known = new Set((await intentsOf(gate)).map(({ declaration }) => declaration.id))
    await using running = start(process.execPath, [file], folder, env)
    let asked: IntentId | undefined
    while (asked === undefined && running.isRunning()) {
      await sleep(POLL_MS)
      asked = (await intentsOf(gate)).find(({ declaration }) => !known.has(declaration.id))?.declaration.id
    }
    if (asked !== undefined) await approver.decide(asked, verdict)
    const { status, output } = await running.ended
    const found = (await intentsOf(gate)).find(({ declaration }) => declaration.id === asked)?.execution.state
    if (status !== 0 || found !== execution) {
      throw new Error(`${file}, ${verdict}: exit ${status}, execution ${found}\n${output}`)
    }
  }
}

async function intentsOf({ store, projectId }: RunningServer) {
  return (await store.intents({ projectId, limit: 10 })).items
}

/** What a model says: it wants a refund, and then tells of it. */
function answerTo(last: { role: string; content: unknown } | undefined): Turn {
  if (last?.role === 'tool') return { text: `Done: ${last.content}` }
  return { calls: [{ name: 'issue_refund', args: { customer_id: 'cust_4821', amount: 250 } }] }
}

/** @throws with all that it printed, when it fails */
async function command(name: string, args: readonly string[], folder: string): Promise<void> {
  await using running = start(name, args, folder, process.env)
  const { status, output } = await running.ended
  if (status !== 0) throw new Error(`${name} ${args.join(' ')}: exit ${status}\n${output}`)
}

interface Running extends AsyncDisposable {
  isRunning(): boolean
  readonly ended: Promise<{ readonly status: number | null; readonly output: string }>
}

function start(name: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Running {
  const child = spawn(name, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: STEP_TIMEOUT_MS })
  let running = true
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).finally(() => {
    running = false
  })
  const ended = Promise.all([closed, text(child.stdout), text(child.stderr)]).then(([status, out, err]) => ({
    status,
    output: `${out}${err}`,
  }))
  return {
    isRunning: () => running,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await closed.catch(() => undefined)
    },
  }
}
