import { spawn } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, it } from 'vitest'

const BIN = path.join(import.meta.dirname, '../bin/silentauth.js')

/** Tells what it was called with, and under which Node; waits for a signal when told to. */
const MAIN = `
export async function main(args) {
  const stopped = new Promise((resolve) => process.once('SIGTERM', resolve))
  // Said only now: who hears it may send the signal at once.
  console.log(JSON.stringify({ args, node: process.versions.node }))
  if (args[0] === 'wait') {
    const timer = setTimeout(() => {}, 30_000)
    await stopped
    clearTimeout(timer)
  }
  return args.length
}`

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'silentauth-bin-'))
  for (const name of ['cli/bin', 'cli/dist', 'elsewhere']) await mkdir(path.join(folder, name), { recursive: true })
  await writeFile(path.join(folder, 'cli/package.json'), '{ "type": "module" }')
  await writeFile(path.join(folder, 'cli/dist/index.js'), MAIN)
  await copyFile(BIN, path.join(folder, 'cli/bin/silentauth.js'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

it('can be executed', async () => {
  expect((await stat(BIN)).mode & 0o111).toBe(0o111)
})

it('hands the arguments to main and ends with its exit code', async () => {
  const { code, stdout } = await silentauth(['inbox', '--json'])
  expect({ code, args: JSON.parse(stdout).args }).toEqual({ code: 2, args: ['inbox', '--json'] })
})

it.each([
  ['beside itself', 'cli'],
  ['where it is started', 'elsewhere'],
])('hands over to the Node that it finds %s when the running one is too old', async (_, where) => {
  await installNode(where, '24.21.0')
  const { code, stdout } = await silentauth(['inbox'], { pretend: '20.20.0' })
  expect({ code, told: JSON.parse(stdout) }).toEqual({
    code: 1,
    told: { args: ['inbox'], node: process.versions.node },
  })
})

it('passes a signal on when it handed over, and keeps the exit code', async () => {
  await installNode('cli', '24.21.0')
  expect(await silentauth(['wait'], { pretend: '22.19.0', signalWhenReady: 'SIGTERM' })).toMatchObject({
    code: 1,
    signal: null,
  })
})

it.each([
  ['there is no Node that fits', async () => {}, '20.20.0'],
  ['the installed Node does not fit either', () => installNode('cli', '24.15.0'), '25.1.0'],
  ['it is not built yet', () => rm(path.join(folder, 'cli/dist/index.js')), process.versions.node],
])('says in one sentence what to do when %s', async (_, arrange, pretend) => {
  await arrange()
  const { code, stdout, stderr } = await silentauth(['inbox'], { pretend })
  expect({ code, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 1, stdout: '', lines: 1 })
})

/** The Node that runs this test, installed as npm would install `version`. */
async function installNode(where: string, version: string): Promise<void> {
  const installed = path.join(folder, where, 'node_modules', `node-${process.platform}-${process.arch}`)
  await mkdir(path.join(installed, 'bin'), { recursive: true })
  await writeFile(path.join(installed, 'package.json'), JSON.stringify({ version }))
  await symlink(process.execPath, path.join(installed, 'bin/node'))
}

async function silentauth(
  args: string[],
  { pretend, signalWhenReady }: { pretend?: string; signalWhenReady?: NodeJS.Signals } = {},
): Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }> {
  const version = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${pretend}' } })`
  const flags = pretend === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(version)}`]
  const child = spawn(process.execPath, [...flags, path.join(folder, 'cli/bin/silentauth.js'), ...args], {
    cwd: path.join(folder, 'elsewhere'),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (signalWhenReady) child.stdout.once('data', () => child.kill(signalWhenReady))
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
  const [stdout, stderr, end] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { ...end, stdout, stderr }
}
