import { spawn } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ROOT } from '../scripts/workspace.ts'

/** Stands in for npx: notes that it was called, and "installs" this Node and a turbo that notes its own calls. */
const NPX = `
const fs = require('node:fs')
fs.appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n')
console.log('chatter of an install')
if (fs.existsSync('broken')) process.exit(1)
const node = 'node_modules/node-' + process.platform + '-' + process.arch + '/bin'
for (const folder of ['node_modules/.bin', node, 'packages/a/node_modules']) fs.mkdirSync(folder, { recursive: true })
fs.rmSync(node + '/node', { force: true })
fs.symlinkSync(process.execPath, node + '/node')
fs.writeFileSync('node_modules/.bin/turbo', '#!/bin/sh\\necho turbo >> calls\\necho chatter of a build\\ntest ! -e unbuildable\\n', { mode: 0o755 })
`

let root: string

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'silentauth-bootstrap-'))
  for (const folder of ['scripts', 'packages/a', 'examples', 'npm'])
    await mkdir(path.join(root, folder), { recursive: true })
  await copyFile(path.join(ROOT, 'scripts/bootstrap.mjs'), path.join(root, 'scripts/bootstrap.mjs'))
  await write('package.json', '{ "packageManager": "pnpm@1.2.3", "type": "module" }')
  await write('packages/a/package.json', '{ "dependencies": { "b": "1" } }')
  await write('pnpm-lock.yaml', 'one')
  await write('pnpm-workspace.yaml', '')
  await write('npm/package.json', '{ "type": "commonjs" }')
  await write('npm/npx-cli.js', NPX)
})

afterEach(() => rm(root, { recursive: true, force: true }))

describe('the first start', () => {
  it('installs exactly what the lockfile says, with the pnpm that package.json names', async () => {
    await bootstrap([])
    expect(await calls()).toEqual(['-y pnpm@1.2.3 install --frozen-lockfile'])
  })

  it('leaves standard output to the command', async () => {
    const { stdout } = await bootstrap(['--build', 'node', '-p', '"the answer"'])
    expect(stdout).toBe('the answer\n')
  })

  it('hands all arguments to the command', async () => {
    const { stdout } = await bootstrap([
      'node',
      '-p',
      'JSON.stringify(process.argv.slice(1))',
      '--',
      '--approve',
      'a b',
    ])
    expect(JSON.parse(stdout)).toEqual(['--approve', 'a b'])
  })

  it('is done by one of two that start at once', async () => {
    await Promise.all([bootstrap([]), bootstrap([])])
    expect(await calls()).toHaveLength(1)
  })

  it('keeps nobody waiting while the command runs', async () => {
    const { stdout } = await bootstrap(['node', '-p', 'fs.existsSync(".bootstrap.lock")'])
    expect(stdout).toBe('false\n')
  })

  it('goes on where a killed one left its lock behind', async () => {
    const { pid } = await bootstrap([])
    await write('.bootstrap.lock', String(pid))
    expect(await bootstrap(['node', '-p', '1'])).toMatchObject({ code: 0, stdout: '1\n' })
  })
})

describe('a later start', () => {
  beforeEach(() => bootstrap([]))

  it('installs nothing when nothing changed', async () => {
    await bootstrap([])
    expect(await calls()).toHaveLength(1)
  })

  it.each([
    ['the lockfile changed', () => write('pnpm-lock.yaml', 'two')],
    ['a manifest changed', () => write('packages/a/package.json', '{ "dependencies": { "b": "2" } }')],
    [
      'what was installed for a package is gone',
      () => rm(path.join(root, 'packages/a/node_modules'), { recursive: true }),
    ],
    ['what was installed is gone', () => rm(path.join(root, 'node_modules'), { recursive: true })],
  ])('installs again when %s', async (_, change) => {
    await change()
    await bootstrap([])
    expect(await calls()).toHaveLength(2)
  })

  it('installs again after an install that failed half-way, even when the lockfile is the old one again', async () => {
    await write('pnpm-lock.yaml', 'two')
    await write('broken', '')
    await bootstrap([])
    await rm(path.join(root, 'broken'))
    await write('pnpm-lock.yaml', 'one')
    await bootstrap([])
    expect(await calls()).toHaveLength(3)
  })

  it('builds only when it is asked to', async () => {
    await bootstrap(['node', '-p', '1'])
    await bootstrap(['--build', 'node', '-p', '1'])
    expect((await calls()).filter((call) => call === 'turbo')).toHaveLength(1)
  })
})

describe('the end of a start', () => {
  it('is that of the command: its exit code', async () => {
    expect(await bootstrap(['node', '-e', 'process.exit(7)'])).toMatchObject({ code: 7 })
  })

  it('is that of the command: its signal', async () => {
    expect(await bootstrap(['node', '-e', 'process.kill(process.pid, "SIGTERM")'])).toMatchObject({ signal: 'SIGTERM' })
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('waits for the command to take its leave after %s', async (signal) => {
    const leave = `process.on('${signal}', () => process.exit(5)); console.log('ready'); setTimeout(() => {}, 30000)`
    expect(await bootstrap(['node', '-e', leave], { signalWhenReady: signal })).toMatchObject({ code: 5 })
  })

  it.each([
    ['the install fails', 'broken', 'The dependencies could not be installed; the lines above say why.'],
    ['the build fails', 'unbuildable', 'The build failed; the lines above say why.'],
  ])('comes before the command when %s', async (_, cause, sentence) => {
    await write(cause, '')
    const { code, stdout, stderr } = await bootstrap(['--build', 'node', '-p', '1'])
    expect({ code, stdout, last: stderr.trimEnd().split('\n').at(-1) }).toEqual({ code: 1, stdout: '', last: sentence })
  })
})

describe('a Node that cannot do the work', () => {
  it('is told apart in one sentence when it is too old to start', async () => {
    expect(await bootstrap([], { pretend: { version: '18.20.0' } })).toEqual(
      expect.objectContaining({
        code: 1,
        stderr: 'SilentAuth needs Node 20 or newer to start, and this is v18.20.0.\n',
      }),
    )
  })

  it.each(['20.20.0', '24.15.0', '25.3.0', '26.0.1'])(
    '%s is refused before the install where npm has no Node',
    async (version) => {
      const { code, stderr } = await bootstrap([], { pretend: { version, platform: 'darwin' } })
      expect({ code, lines: stderr.trimEnd().split('\n').length, calls: await calls() }).toEqual({
        code: 1,
        lines: 1,
        calls: [],
      })
    },
  )

  it.each(['24.16.0', '26.1.0', '27.0.0'])('is not %s', async (version) => {
    expect(await bootstrap([], { pretend: { version, platform: 'darwin' } })).toMatchObject({ code: 0 })
  })
})

interface Pretend {
  version?: string
  platform?: string
}

/** Starts the bootstrap in the small workspace, and waits for its end. */
async function bootstrap(
  args: string[],
  { pretend, signalWhenReady }: { pretend?: Pretend; signalWhenReady?: NodeJS.Signals } = {},
): Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string; pid: number | undefined }> {
  const child = spawn(process.execPath, [...pretending(pretend), 'scripts/bootstrap.mjs', ...args], {
    cwd: root,
    env: { ...process.env, npm_execpath: path.join(root, 'npm/npm-cli.js') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (signalWhenReady) child.stdout.once('data', () => child.kill(signalWhenReady))
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
  const [stdout, stderr, end] = await Promise.all([buffer(child.stdout), buffer(child.stderr), ended])
  return { ...end, stdout: String(stdout), stderr: String(stderr), pid: child.pid }
}

function pretending({ version, platform }: Pretend = {}): string[] {
  const define = (name: string, value: string) => `Object.defineProperty(process, '${name}', { value: ${value} });`
  const code = [
    version === undefined ? '' : define('version', `'v${version}'`),
    version === undefined ? '' : define('versions', `{ ...process.versions, node: '${version}' }`),
    platform === undefined ? '' : define('platform', `'${platform}'`),
  ].join('')
  return code === '' ? [] : ['--import', `data:text/javascript,${encodeURIComponent(code)}`]
}

async function write(file: string, text: string): Promise<void> {
  await writeFile(path.join(root, file), text)
}

async function calls(): Promise<string[]> {
  return await readFile(path.join(root, 'calls'), 'utf8').then(
    (text) => text.trimEnd().split('\n'),
    () => [],
  )
}
