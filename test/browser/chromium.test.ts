import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { describeInBrowser, launchBrowser } from './chromium.ts'

describeInBrowser('launchBrowser', () => {
  it('renders a page of a loopback server with letters that can be read', async () => {
    const html = '<!doctype html><title>t</title><p id="text">A person approves <code>issue_refund</code></p>'
    const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(html))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      await using browser = await launchBrowser()
      const page = await browser.newPage()
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
      expect(await page.textContent('#text')).toBe('A person approves issue_refund')
      // Without any font every letter has the width of the same empty box, or none.
      const widths = await page.evaluate(() => {
        const context = new OffscreenCanvas(100, 20).getContext('2d')
        return ['i', 'W'].map((letter) => context?.measureText(letter).width ?? 0)
      })
      expect(widths[1]).toBeGreaterThan((widths[0] ?? 0) * 1.5)
    } finally {
      server.close()
    }
  })
})
