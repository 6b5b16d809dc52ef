/**
 * Runs once before all browser tests: finds the browser and hands it to them, and removes afterwards what was unpacked.
 *
 * @module
 */
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestProject } from 'vitest/node'
import { type FoundBrowser, findBrowser } from './find.ts'

declare module 'vitest' {
  interface ProvidedContext {
    browser: FoundBrowser
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-browser-'))
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  // 200 MB: an interrupted run must not leave them behind.
  process.once('exit', remove)
  const browser = await findBrowser(folder)
  project.provide('browser', browser)
  if (browser.type === 'missing') {
    const verdict = process.env.CI ? 'In CI the browser tests FAIL.' : 'The browser tests are SKIPPED.'
    console.error(
      `\n*** NO BROWSER: ${browser.reason}\n*** ${verdict} Install Chrome or Chromium, or set CHROMIUM_PATH to one.\n`,
    )
  }
  return () => {
    process.off('exit', remove)
    remove()
  }
}
