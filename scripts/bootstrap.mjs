// @ts-check
/**
 * The first thing that every npm script runs: `node scripts/bootstrap.mjs [--build] [command …args]`.
 *
 * Installs exactly what the lockfile says unless it is already there, builds with a cache when asked to, then runs the
 * command under the project's own Node. It has no dependencies, needs no git, and any Node from 20 on can run it.
 * Standard output belongs to the command alone, so that a machine can read it.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const MODULES = path.join(ROOT, 'node_modules')
/** Written last, so that an interrupted install leaves none behind. */
const STAMP = path.join(MODULES, '.silentauth-install.json')
const LOCK = path.join(ROOT, '.bootstrap.lock')
const LOCK_STALE_MS = 15 * 60_000
const WINDOWS = process.platform === 'win32'

/** Ends the run with one sentence instead of a stack. */
class Refusal extends Error {}

/** Ends the run by the signal that stopped it. */
class Stopped extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(signal)
    this.signal = signal
  }
}

/**
 * @typedef {{ status: number | null, signal: NodeJS.Signals | null, received: NodeJS.Signals | null, output: Buffer }} Ended
 * `received`: the last signal that we passed on to it.
 */

/** @param {string[]} args */
async function main(args) {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new Refusal(`SilentAuth needs Node 20 or newer to start, and this is ${process.version}.`)
  }
  const wantsBuild = args[0] === '--build'
  const [command, ...rest] = wantsBuild ? args.slice(1) : args
  const node = await exclusively(async () => {
    const found = await install()
    if (wantsBuild) await build(found)
    return found
  })
  if (command === undefined) {
    console.error(`Everything is installed${wantsBuild ? ' and built' : ''}.`)
    return
  }
  const ended = await start(command === 'node' ? node : command, rest, { env: environment(node), stdio: 'inherit' })
  if (ended.signal !== null) throw new Stopped(ended.signal)
  process.exitCode = ended.status ?? 1
}

/** Installs unless `node_modules` was made from these very files; resolves to the Node that runs everything else. */
async function install() {
  const fingerprint = fingerprintOfManifests()
  const stamp = readStamp()
  if (stamp.fingerprint === fingerprint && workspaceFolders().every(isInstalled)) return nodeFor(stamp.projectNode)

  const own = path.join(MODULES, `node-${process.platform}-${process.arch}`, 'bin', 'node')
  const mayHaveOwn = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64')
  // Said before the minute that an install may take, not after it.
  if (!mayHaveOwn) nodeFor(null)
  rmSync(STAMP, { force: true })
  console.error('Installing the dependencies …')
  const { packageManager } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'))
  await quietly('The dependencies could not be installed; the lines above say why.', ...npx(packageManager), {
    ...process.env,
    // There may be nobody to ask, and what is removed is only what this install would replace.
    pnpm_config_confirm_modules_purge: 'false',
    // In production mode pnpm would leave out the very tools that build.
    NODE_ENV: 'development',
  })
  const runs = mayHaveOwn && existsSync(own) && (await start(own, ['--version'], { stdio: 'ignore' })).status === 0
  const projectNode = runs ? own : null
  const node = nodeFor(projectNode)
  writeFileSync(STAMP, JSON.stringify({ fingerprint, projectNode }))
  return node
}

/** @param {string} node */
async function build(node) {
  const args = ['run', 'build', '--output-logs=errors-only', '--log-order=grouped']
  await quietly('The build failed; the lines above say why.', 'turbo', args, environment(node))
}

/**
 * The project's Node, or the running one where it is new enough: older SQLite bindings cut a text at its first NUL.
 *
 * @param {string | null} projectNode
 */
function nodeFor(projectNode) {
  if (projectNode !== null) return projectNode
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if ((major === 24 && minor >= 16) || (major === 26 && minor >= 1) || major > 26) return process.execPath
  throw new Refusal(
    `On ${process.platform} ${process.arch} SilentAuth needs Node 24.16 or newer (24.x, or 26.1 and up), and this is ` +
      `${process.version}: install it from https://nodejs.org and run the same command again.`,
  )
}

/** @param {string} node */
function environment(node) {
  const name = Object.keys(process.env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH'
  const bins = path.join(MODULES, '.bin')
  // Where the project's Node cannot run, its link in `.bin` must not shadow the one that can.
  const first = node === process.execPath ? [path.dirname(node), bins] : [bins]
  return { ...process.env, [name]: [...first, process.env[name]].join(path.delimiter), TURBO_TELEMETRY_DISABLED: '1' }
}

function fingerprintOfManifests() {
  const hash = createHash('sha256')
  const manifests = workspaceFolders().map((folder) => path.join(folder, 'package.json'))
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests]) {
    hash.update(`${file}\0${process.platform}\0${process.arch}\0`).update(readFileSync(path.join(ROOT, file)))
  }
  return hash.digest('hex')
}

/** The root and every package and example, relative to the root. */
function workspaceFolders() {
  const members = ['packages', 'examples'].flatMap((parent) =>
    readdirSync(path.join(ROOT, parent)).map((name) => path.join(parent, name)),
  )
  return ['.', ...members.filter((folder) => existsSync(path.join(ROOT, folder, 'package.json'))).sort()]
}

/** @param {string} folder */
function isInstalled(folder) {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(path.join(ROOT, folder, 'package.json'), 'utf8'))
  if (dependencies === undefined && devDependencies === undefined) return true
  return existsSync(path.join(ROOT, folder, 'node_modules'))
}

function readStamp() {
  try {
    const stamp = JSON.parse(readFileSync(STAMP, 'utf8'))
    return stamp.projectNode === null || existsSync(stamp.projectNode) ? stamp : {}
  } catch {
    return {}
  }
}

/**
 * npx of the npm that runs this script, else the one on PATH.
 *
 * @param {string} packageManager
 * @returns {[command: string, args: string[]]}
 */
function npx(packageManager) {
  const args = ['-y', packageManager, 'install', '--frozen-lockfile']
  const npm = process.env.npm_execpath ?? ''
  const beside = path.join(path.dirname(npm), 'npx-cli.js')
  if (path.basename(npm) === 'npm-cli.js' && existsSync(beside)) return [process.execPath, [beside, ...args]]
  return ['npx', args]
}

/**
 * One install or build at a time: two in the same folder would pull the files from under each other.
 *
 * @template Result
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result>}
 */
async function exclusively(work) {
  for (let waits = 0; ; waits++) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    }
    if (isStale()) rmSync(LOCK, { force: true })
    else {
      if (waits === 5) console.error('Another install or build is running here; waiting for it …')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  try {
    return await work()
  } finally {
    rmSync(LOCK, { force: true })
  }
}

/** True when whoever took the lock is gone. */
function isStale() {
  try {
    if (Date.now() - statSync(LOCK).mtimeMs > LOCK_STALE_MS) return true
    process.kill(Number(readFileSync(LOCK, 'utf8')), 0)
    return false
  } catch (error) {
    return codeOf(error) === 'ESRCH'
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/**
 * Runs a step whose output matters only when it fails.
 *
 * @param {string} sentence
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
async function quietly(sentence, command, args, env) {
  const ended = await start(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  if (ended.status === 0) return
  const signal = ended.received ?? ended.signal
  if (signal !== null) throw new Stopped(signal)
  process.stderr.write(ended.output)
  throw new Refusal(sentence)
}

/**
 * Starts a command and passes the signals that we get on to it, until it ends.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<Ended>}
 */
function start(command, args, options) {
  return new Promise((resolve, reject) => {
    const shell = WINDOWS && !path.isAbsolute(command)
    const child = spawn(command, args, { cwd: ROOT, shell, ...options })
    /** @type {Buffer[]} */
    const output = []
    child.stdout?.on('data', (chunk) => output.push(chunk))
    child.stderr?.on('data', (chunk) => output.push(chunk))
    /** @type {NodeJS.Signals | null} */
    let received = null
    /** @param {NodeJS.Signals} signal */
    const forward = (signal) => {
      received = signal
      // The terminal's Ctrl-C has reached the child already, and a second one often means "at once".
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    }
    /** @type {NodeJS.Signals[]} */
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
    for (const signal of signals) process.on(signal, forward)
    /** @param {() => void} outcome */
    const settle = (outcome) => {
      for (const signal of signals) process.off(signal, forward)
      outcome()
    }
    child.on('error', (error) => settle(() => reject(new Refusal(`${command} cannot be started (${codeOf(error)}).`))))
    child.on('close', (status, signal) => {
      settle(() => resolve({ status, signal, received, output: Buffer.concat(output) }))
    })
  })
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  // As the command ended, so that shells and supervisors see no difference.
  if (error instanceof Stopped) process.kill(process.pid, error.signal)
  else if (error instanceof Refusal) {
    console.error(error.message)
    process.exitCode = 1
  } else throw error
}
