/**
 * The browser of a browser test. Such tests lie in `test/browser/`, or are named `*.browser.test.ts` anywhere, so that the
 * global setup has found a browser before they start.
 *
 * ```ts
 * describeInBrowser('the inbox', () => {
 *   it('opens', async () => {
 *     await using browser = await launchBrowser()
 *     const page = await browser.newPage()
 *   })
 * })
 * ```
 *
 * @module
 */
import { type Browser, chromium } from 'playwright-core'
import { describe, inject } from 'vitest'
import type {} from './global-setup.ts'

const found = inject('browser')

/** `describe`, skipped where no browser can run; in CI the tests run all the same, and fail. */
export const describeInBrowser = found.type === 'found' || process.env.CI ? describe : describe.skip

/** A fresh browser with a profile of its own. Whoever launched it closes it: `await using`. */
export async function launchBrowser(): Promise<Browser> {
  if (found.type === 'missing') throw new Error(`no browser can run here: ${found.reason}`)
  return await chromium.launch({ ...found.launch, headless: true })
}
