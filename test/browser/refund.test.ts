import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { getRequestListener } from '@hono/node-server'
import type { GateEvent, Intent } from '@silentauth/core'
import { SilentAuth } from '@silentauth/sdk'
import { type RunningServer, startServer } from '@silentauth/server'
import { permitVerifier } from '@silentauth/verify'
import { type PermitVariables, requirePermit } from '@silentauth/verify/hono'
import { Hono } from 'hono'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { scriptedModel } from '../../examples/demo/model.ts'
import { refundAgent } from '../../examples/demo/refund-agent.ts'
import { scriptedOpenai } from '../../examples/demo/scripted-openai.ts'
import { buildPages } from '../../packages/dashboard/test/build-pages.ts'
import { describeInBrowser, launchBrowser } from './chromium.ts'

/** The whole story with nothing pretended but the model: gate, pages, agent, client, backend, browser. */
describeInBrowser('a refund, from the call of the model to the payment', () => {
  let folder: string
  let gate: RunningServer
  const opened: AsyncDisposable[] = []

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'silentauth-e2e-'))
    await buildPages(path.join(folder, 'pages'))
    gate = await startServer({ dataDir: path.join(folder, 'data'), port: 0, dashboardDir: path.join(folder, 'pages') })
  })

  afterAll(async () => {
    for (const one of opened.reverse()) await one[Symbol.asyncDispose]()
    await gate?.close()
    await rm(folder, { recursive: true, force: true })
  })

  /**
   * Runs the agent until its first question to a person; `answer` comes after the decision. Each test asks for another amount:
   * what a person denied is denied again without a question.
   */
  async function askForRefund(amount: number): Promise<{
    intent: Intent
    answer: Promise<string>
    paid: readonly unknown[]
    sdk: SilentAuth
  }> {
    const backend = await refundBackend(gate, path.join(folder, 'data', 'public.jwks.json'))
    const model = await scriptedOpenai(({ messages }) => {
      const last = messages.at(-1)
      if (last?.role === 'tool') return { text: `The tool said: ${String(last.content)}` }
      return { calls: [{ name: 'issue_refund', args: { customer_id: 'cust_4821', amount } }] }
    })
    const sdk = new SilentAuth({ dataFolder: path.join(folder, 'data') })
    opened.push(backend, model, sdk)
    const { promise: pending, resolve } = Promise.withResolvers<Intent>()
    const agent = refundAgent({
      gate: sdk,
      backendUrl: backend.url,
      model: scriptedModel(model),
      onEvent: (event: GateEvent) => {
        if (event.type === 'pending') resolve(event.intent)
      },
      onPermit: () => {},
    })
    const answer = agent
      .invoke({ messages: [{ role: 'user', content: `Refund ${amount} to cust_4821.` }] })
      .then(({ messages }) => String(messages.at(-1)?.content))
    const unasked = answer.then((text) => {
      throw new Error(`nobody was asked: ${text}`)
    })
    return { intent: await Promise.race([pending, unasked]), answer, paid: backend.paid, sdk }
  }

  async function openReview(page: Page, intent: Intent): Promise<void> {
    await page.goto(await gate.signInLink(gate.owner.id, { next: `/inbox/${intent.id}` }))
    await page.getByRole('heading', { name: 'issue_refund' }).waitFor()
  }

  it('a person reads exactly what it wants to do, approves it, and the backend pays once', async () => {
    const { intent, answer, paid, sdk } = await askForRefund(250)
    await using browser = await launchBrowser()
    // In a context of its own: axe opens a second page in it.
    const page = await (await browser.newContext()).newPage()
    const faults: string[] = []
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
    page.on('pageerror', (error) => faults.push(String(error)))

    await openReview(page, intent)
    expect(await page.locator('main').textContent()).toMatch(/amount\s*250\s*customer_id\s*cust_4821/)
    expect(new URL(page.url()).hash).toBe('')
    const { violations } = await new AxeBuilder({ page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])
      .analyze()
    expect(violations.map(({ id }) => id)).toEqual([])
    expect(paid).toEqual([])

    await page.getByRole('button', { name: /^Approve/ }).click()
    expect(await answer).toContain('"refunded":250')
    expect(paid).toEqual([{ customer_id: 'cust_4821', amount: 250 }])
    expect(await sdk.read(intent.id)).toMatchObject({
      status: 'approved',
      approvedBy: ['you@localhost'],
      execution: { state: 'succeeded' },
    })
    expect(faults).toEqual([])
  })

  it('a denial reaches the model with its reason, and nothing is paid', async () => {
    const { intent, answer, paid } = await askForRefund(251)
    await using browser = await launchBrowser()
    const page = await browser.newPage()
    await openReview(page, intent)
    await page.getByRole('button', { name: /^Deny/ }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox').fill('It was refunded yesterday.')
    await dialog.getByRole('button', { name: /^Deny/ }).click()
    expect(await answer).toContain('It was refunded yesterday.')
    expect(paid).toEqual([])
  })

  it('a second loopback port that obtained the cookie can neither read the inbox nor vote', async () => {
    const { intent, answer, paid, sdk } = await askForRefund(252)
    let stolen = ''
    const thief = createServer((request, response) => {
      stolen = request.headers.cookie ?? ''
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>another port</title>')
    })
    await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve))
    const thiefUrl = `http://127.0.0.1:${(thief.address() as AddressInfo).port}/`
    try {
      await using browser = await launchBrowser()
      const context = await browser.newContext()
      const page = await context.newPage()
      await openReview(page, intent)

      const other = await context.newPage()
      await other.goto(thiefUrl)
      expect(stolen).not.toBe('') // cookies know no ports: this is the attack

      const approve = `${gate.url}/api/inbox/${intent.id}/approve`
      const body = JSON.stringify({ intent_hash: intent.intentHash })
      const headers = { cookie: stolen, 'content-type': 'application/json', origin: gate.url }
      expect((await fetch(`${gate.url}/api/inbox`, { headers })).status).toBe(401)
      expect((await fetch(approve, { method: 'POST', headers, body })).status).toBe(401)
      const fromItsPage = await other.evaluate(
        async ([url, text]) => {
          const init = {
            method: 'POST',
            credentials: 'include',
            headers: { 'content-type': 'application/json' },
            body: text,
          }
          return fetch(url as string, init as RequestInit).then(
            ({ status }) => status,
            () => 'blocked',
          )
        },
        [approve, body],
      )
      expect(fromItsPage).toBe('blocked')
      expect((await sdk.read(intent.id)).status).toBe('pending')
      await sdk.cancel(intent.id, 'the test is over')
      expect(await answer).toContain('Not executed')
      expect(paid).toEqual([])
    } finally {
      thief.closeAllConnections()
      thief.close()
    }
  })
})

async function refundBackend({ issuer, projectId }: RunningServer, keys: string) {
  const verifier = permitVerifier({ issuer, projectId, keys, singleUse: 'per-process', revocations: 'off' })
  const paid: unknown[] = []
  const app = new Hono<{ Variables: PermitVariables }>()
  app.post('/refunds', requirePermit({ verifier, action: 'issue_refund', params: (_, body) => body }), (c) => {
    const { params } = c.get('permit')
    paid.push(params)
    return c.json({ refunded: params.amount })
  })
  const server = createServer(getRequestListener(app.fetch))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paid,
    async [Symbol.asyncDispose]() {
      await verifier[Symbol.asyncDispose]()
      server.closeAllConnections()
      server.close()
    },
  }
}
