import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { intentHash } from '@silentauth/core'
import type { WireReview } from '@silentauth/core/wire'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { describeInBrowser, launchBrowser } from '../../../test/browser/chromium.ts'
import { CORPUS } from '../../core/test/safe-text-corpus.ts'
import { messages } from '../src/messages.ts'
import { buildPages } from './build-pages.ts'
import { aDeploy, aReview, hiddenText } from './reviews.ts'
import { PERSON, type ScriptedGate, scriptedGate } from './scripted-gate.ts'

const DESKTOP: BrowserContextOptions = { viewport: { width: 1280, height: 800 }, colorScheme: 'light' }
const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true }

let dist: string
let browser: Browser
let gate: ScriptedGate
/** What Chromium complained about: violations of the policy, faults, refused requests. */
let complaints: string[]
/** Requests that a test means to be refused. */
let meant: RegExp | undefined

describeInBrowser('the pages', () => {
  beforeAll(async () => {
    dist = await mkdtemp(path.join(tmpdir(), 'silentauth-pages-'))
    await buildPages(dist)
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await rm(dist, { recursive: true, force: true })
  })
  beforeEach(async () => {
    gate = await scriptedGate(dist)
    complaints = []
    meant = undefined
  })
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
    await gate[Symbol.asyncDispose]()
    expect(complaints.filter((text) => !meant?.test(text))).toEqual([])
  })

  describe('signing in', () => {
    it('takes the token out of the address and its history, and goes to the inbox', async () => {
      const page = await open(DESKTOP)
      await page.goto(gate.signInLink())
      await page.getByRole('heading', { name: messages.inbox.title, exact: true }).waitFor()
      expect(page.url()).toBe(`${gate.url}/inbox`)
      await page.goBack().catch(() => null)
      expect(page.url()).not.toContain('token')
    })

    it('goes to the review that the link names', async () => {
      const review = put(aReview())
      const page = await open(DESKTOP)
      await page.goto(gate.signInLink(`/inbox/${review.view.intent_id}`))
      await shows(page, review)
    })

    it('does not follow a link to another place', async () => {
      const page = await open(DESKTOP)
      await page.goto(gate.signInLink('//evil.example/inbox'))
      await page.waitForURL(`${gate.url}/inbox`)
    })

    it('keeps the secret in this origin alone: over a reload, in no address, out of reach of another port', async () => {
      const page = await signedIn(DESKTOP)
      await page.reload()
      await page.getByText(messages.inbox.emptyTitle).waitFor()
      const secret = gate.received.at(-1)?.secret as string
      expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/)
      expect(gate.received.filter((request) => request.path.includes(secret))).toEqual([])
      expect(await page.evaluate(() => document.cookie)).toBe('')

      await using other = await scriptedGate(dist)
      const foreign = await page.context().newPage()
      await foreign.goto(`${other.url}/inbox`)
      await foreign.getByText(messages.signedOut.noneTitle).waitFor()
      expect(await foreign.evaluate(() => Object.values(sessionStorage))).toEqual([])
      // The cookie goes to every port of a host; that is why it is not enough.
      expect(other.received.map((request) => request.secret)).not.toContain(secret)
    })

    it('explains a link that was used', async () => {
      meant = /401/
      const page = await open(DESKTOP)
      await page.goto(`${gate.url}/sign-in#token=used`)
      await page.getByText(messages.signIn.failedTitle).waitFor()
      expect([page.url(), await violations(page)]).toEqual([`${gate.url}/sign-in`, []])
    })

    it('takes a fresh link that is pasted over the failed one', async () => {
      meant = /401/
      const page = await open(DESKTOP)
      await page.goto(`${gate.url}/sign-in#token=used`)
      await page.getByText(messages.signIn.failedTitle).waitFor()
      await page.goto(gate.signInLink())
      await page.waitForURL(`${gate.url}/inbox`)
    })

    it('offers to try again when the gate did not answer, and the link still works', async () => {
      meant = /500/
      const page = await open(DESKTOP)
      gate.refusals.set('/api/session', 'DB_ERROR')
      await page.goto(gate.signInLink())
      await page.getByRole('button', { name: messages.tryAgain }).click()
      await page.waitForURL(`${gate.url}/inbox`)
    })

    it('asks for a sign-in where a review was opened without one, and keeps the address', async () => {
      const review = put(aReview())
      const page = await open(DESKTOP)
      await page.goto(`${gate.url}/inbox/${review.view.intent_id}`)
      await page.getByText(messages.signedOut.noneTitle).waitFor()
      expect(await violations(page)).toEqual([])
      // A sign-in in another tab is enough.
      const other = await page.context().newPage()
      await other.goto(gate.signInLink())
      await shows(page, review)
    })

    it('says when the session has ended', async () => {
      meant = /401/
      const page = await signedIn(DESKTOP)
      await page.getByText(PERSON).waitFor()
      await page.getByText(messages.inbox.emptyTitle).waitFor()
      await streaming()
      gate.forget()
      gate.hint()
      await page.getByText(messages.signedOut.endedTitle).waitFor()
    })

    it('forgets the session in every tab', async () => {
      const page = await signedIn(DESKTOP)
      const other = await page.context().newPage()
      await other.goto(`${gate.url}/inbox`)
      await other.getByRole('button', { name: messages.signOut }).click()
      await page.getByText(messages.signedOut.leftTitle).waitFor()
      expect(gate.received.some(({ method, path: to }) => method === 'DELETE' && to === '/api/session')).toBe(true)
    })
  })

  describe('the inbox', () => {
    it('shows what arrives without being asked', async () => {
      const page = await signedIn(DESKTOP)
      await page.getByText(messages.inbox.emptyTitle).waitFor()
      await streaming()
      put(aReview())
      gate.hint()
      await page.getByRole('link', { name: /issue_refund/ }).waitFor()
      await page.getByText(messages.inbox.arrived(1)).waitFor({ state: 'attached' })
    })

    it('tells what waits for this person from what does not', async () => {
      const mine = put(aReview())
      const others = put(
        aReview({
          view: { action: 'export_contacts' },
          can_vote: { ok: false, code: 'SELF_APPROVAL', reason: 'asked for it', on_behalf_of: null },
        }),
      )
      const page = await signedIn(DESKTOP)
      const rows = (title: string) => page.getByRole('region', { name: new RegExp(`^${title}`) }).locator('[data-row]')
      await rows(messages.inbox.mine).waitFor()
      expect([
        await rows(messages.inbox.mine).getAttribute('data-row'),
        await rows(messages.inbox.others).getAttribute('data-row'),
      ]).toEqual([mine.view.intent_id, others.view.intent_id])
    })

    it('lists what was decided', async () => {
      put(aReview({ status: 'denied' }))
      put(aReview({ status: 'expired', view: { action: 'send_newsletter' } }))
      const page = await signedIn(DESKTOP)
      await page.getByText(messages.inbox.decided, { exact: true }).click()
      await page.getByRole('link', { name: /issue_refund.*Denied/ }).waitFor()
      await page.getByRole('link', { name: /send_newsletter.*Expired/ }).waitFor()
    })

    it('keeps the keyboard on an intent, not on a position', async () => {
      const [first, second] = [aReview({ view: { action: 'first' } }), aReview({ view: { action: 'second' } })]
      gate.reviews = [first, second]
      const page = await signedIn(DESKTOP)
      await page.locator('[data-row]').first().waitFor()
      await streaming()
      await page.keyboard.press('j')
      await page.keyboard.press('j')
      gate.reviews = [aReview({ view: { action: 'newest' } }), second]
      gate.hint()
      await page.getByRole('link', { name: /newest/ }).waitFor()
      await page.keyboard.press('Enter')
      await shows(page, second)
    })

    it('does nothing on Enter when the intent under the keyboard has gone', async () => {
      const [first, second] = [aReview({ view: { action: 'first' } }), aReview({ view: { action: 'second' } })]
      gate.reviews = [first, second]
      const page = await signedIn(DESKTOP)
      await page.locator('[data-row]').first().waitFor()
      await streaming()
      await page.keyboard.press('j')
      gate.reviews = [second]
      gate.hint()
      await page.getByRole('link', { name: /first/ }).waitFor({ state: 'detached' })
      await page.keyboard.press('Enter')
      expect(page.url()).toBe(`${gate.url}/inbox`)
    })

    it('loads in seven tabs, over one event stream', async () => {
      put(aReview())
      const page = await signedIn(DESKTOP)
      const tabs = await Promise.all(Array.from({ length: 6 }, () => page.context().newPage()))
      for (const tab of tabs) {
        await tab.goto(`${gate.url}/inbox`)
        await tab.getByRole('link', { name: /issue_refund/ }).waitFor()
      }
      put(aReview({ view: { action: 'send_newsletter' } }))
      await streaming()
      gate.hint()
      for (const tab of [page, ...tabs]) await tab.getByRole('link', { name: /send_newsletter/ }).waitFor()
      expect(gate.mostStreams).toBe(1)
    })
  })

  describe('a review', () => {
    it('says who asks, what for, and why it needs care', async () => {
      const page = await reviewing(aReview())
      for (const text of [
        'issue_refund',
        'cust_4821',
        'Refund agent',
        'support-bot, production',
        'Refunds over 100 need a person',
        messages.risk.factor.first_time as string,
        messages.claims.badge,
      ]) {
        await page.getByText(text, { exact: true }).first().waitFor()
      }
    })

    it('keeps every word of the agent inside of what is marked as such', async () => {
      const word = 'zzagentzz'
      const page = await reviewing(
        aReview({
          view: {
            params: { [word]: word, list: [word], deep: { deep: word } },
            context: { reasoning: word, impact: word, [word]: { [word]: word } },
            metadata: { [word]: word },
            source: word,
            requested_by: word,
          },
        }),
      )
      const [inside, outside] = await page.evaluate((needle) => {
        const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
        const found: boolean[] = []
        while (texts.nextNode()) {
          const { textContent, parentElement } = texts.currentNode
          if (textContent?.includes(needle)) found.push(parentElement?.closest('[data-untrusted]') !== null)
        }
        return [found.filter(Boolean).length, found.filter((each) => !each).length]
      }, word)
      expect([inside, outside]).toEqual([13, 0])
    })

    it('draws each trick of the corpus as what it is, runs none of it, and names what is wrong', async () => {
      // Half of a surrogate pair cannot be part of any intent.
      const tricks = CORPUS.filter(({ raw }) => raw.isWellFormed() && raw !== '')
      const page = await reviewing(
        aReview({
          view: { risk_tier: 'medium', params: Object.fromEntries(tricks.map(({ raw }, index) => [`t${index}`, raw])) },
        }),
      )
      await page.getByRole('button', { name: messages.params.showAllFields(tricks.length) }).click()
      const drawn = await page.evaluate(() =>
        [...document.querySelectorAll('[data-untrusted=params] dd')].map((value) => ({
          seen: value.querySelector('bdi')?.textContent ?? null,
          direction: value.querySelector('bdi')?.getAttribute('dir') ?? null,
          flags: value.querySelector('[data-flags]')?.getAttribute('data-flags') ?? '',
          elements: [...value.querySelectorAll('bdi *')].filter(({ tagName }) => tagName !== 'MARK').length,
        })),
      )
      expect(drawn).toEqual(
        tricks.map(({ seen, flags }) => ({ seen, direction: 'ltr', flags: flags.join(' '), elements: 0 })),
      )
      expect(await page.locator('h1').textContent()).toBe('issue_refund')
    })

    it('is refused loudly when it is not what the gate holds, and takes no vote', async () => {
      const review = aReview()
      const page = await reviewing({ ...review, intent_hash: intentHash({ ...review.view, action: 'another' }) })
      await page.getByRole('alert').getByText(messages.refusal.title).waitFor()
      for (const name of [messages.decide.approve, messages.decide.deny, messages.decide.requestChanges]) {
        expect(await page.getByRole('button', { name, exact: true }).isDisabled()).toBe(true)
      }
      for (const key of ['a', 'd', 'r']) await page.keyboard.press(key)
      expect([await page.getByRole('dialog').count(), posts()]).toEqual([0, []])
    })

    it('says why this person cannot vote', async () => {
      const page = await reviewing(
        aReview({ can_vote: { ok: false, code: 'SELF_APPROVAL', reason: 'asked for it', on_behalf_of: null } }),
      )
      await page.getByText(messages.obstacle.cannotVote.SELF_APPROVAL as string).waitFor()
    })

    it('says as whom this person decides', async () => {
      const page = await reviewing(aReview())
      await page.getByRole('region', { name: messages.decide.title }).getByText(PERSON).waitFor()
    })

    it('warns that it may be the second time, and that a quorum is out of reach', async () => {
      const page = await reviewing(aReview({ same_action: ['int_earlier'], quorum_out_of_reach: true }))
      await page.getByText(messages.sameAction.title).waitFor()
      await page.getByText(messages.decide.outOfReach).waitFor()
      expect(await page.getByRole('link', { name: 'int_earlier' }).getAttribute('href')).toBe('/inbox/int_earlier')
    })

    it('shows a hidden value to who asks for it', async () => {
      const review = aDeploy()
      gate.secrets.set('/database_password', 'correct\u200bhorse')
      const page = await reviewing(review)
      const hidden = page.locator('[data-hidden="/database_password"]')
      expect(await hidden.textContent()).toMatch(/Hidden.*text, 24 characters/)
      await hidden.getByRole('button', { name: messages.hidden.reveal }).click()
      await hidden.getByText(messages.hidden.revealed).waitFor()
      expect([await hidden.locator('bdi').textContent(), posts().at(-1)]).toEqual([
        'correct⟦U+200B⟧horse',
        { path: `/api/inbox/${review.view.intent_id}/reveal`, body: { pointer: '/database_password' } },
      ])
    })

    it('says that there is no such intent', async () => {
      meant = /404/
      const page = await signedIn(DESKTOP)
      await page.goto(`${gate.url}/inbox/int_nothing`)
      await page.getByText(messages.review.notFoundTitle).waitFor()
    })

    it('turns off when its time is over', async () => {
      const page = await reviewing(aReview({ expiresInMinutes: -1 }))
      await page.getByText(messages.obstacle.expired).waitFor()
      expect(await page.getByRole('button', { name: messages.decide.approve }).isDisabled()).toBe(true)
    })
  })

  describe('a decision', () => {
    it('is one press of a, and carries the hash of what was rendered', async () => {
      const review = aReview()
      const page = await reviewing(review)
      await approvable(page)
      await page.keyboard.press('a')
      await page
        .getByRole('region', { name: messages.decide.titleView })
        .getByText(messages.status.approved, { exact: true })
        .waitFor()
      expect(posts()).toEqual([
        { path: `/api/inbox/${review.view.intent_id}/approve`, body: { intent_hash: intentHash(review.view) } },
      ])
    })

    it.each(['Control+a', 'Shift+A', 'Alt+a'])('is not made by %s', async (key) => {
      const page = await reviewing(aReview())
      await approvable(page)
      await page.keyboard.press(key)
      await settled(page)
      expect(posts()).toEqual([])
    })

    it('is not made by a key that is held down', async () => {
      const page = await reviewing(aReview())
      await approvable(page)
      await page.evaluate(() => dispatchEvent(new KeyboardEvent('keydown', { key: 'a', repeat: true, bubbles: true })))
      await settled(page)
      expect(posts()).toEqual([])
    })

    it('is not made by writing a comment', async () => {
      const page = await reviewing(aReview())
      await page.getByText(messages.decide.addComment).click()
      await page.getByLabel(messages.decide.comment).pressSequentially('a dark road')
      await settled(page)
      expect([posts(), await page.getByRole('dialog').count()]).toEqual([[], 0])
    })

    it('is not made for an intent that the address no longer names', async () => {
      const page = await reviewing(aReview())
      await approvable(page)
      await page.evaluate(() => {
        // What stays on the screen of a page that has begun to leave.
        Object.getPrototypeOf(history).pushState.call(history, null, '', '/inbox/int_another')
        dispatchEvent(new KeyboardEvent('keydown', { key: 'a', bubbles: true }))
      })
      await settled(page)
      expect(posts().filter(({ path: to }) => to.endsWith('/approve'))).toEqual([])
    })

    it('of the critical kind waits until all was shown, and for the words of the gate', async () => {
      const review = aDeploy()
      const page = await reviewing(review)
      const approve = page.getByRole('button', { name: messages.decide.approve, exact: true })
      expect(await approve.isDisabled()).toBe(true)
      await page.keyboard.press('a')
      expect(await page.getByRole('dialog').count()).toBe(0)

      await page.getByRole('button', { name: messages.params.showAll }).first().click()
      await approvable(page)
      await page.keyboard.press('a')
      const dialog = page.getByRole('dialog')
      const confirmation = review.confirmation as string
      await dialog.getByText(confirmation).waitFor()
      const submit = dialog.getByRole('button', { name: messages.decide.approve })
      for (const almost of ['', confirmation.slice(0, -1), `${confirmation} `, confirmation.toUpperCase()]) {
        await dialog.getByLabel(messages.dialog.confirmLabel).fill(almost)
        expect(await submit.isDisabled()).toBe(true)
        await page.keyboard.press('Enter')
      }
      expect(posts()).toEqual([])
      await dialog.getByLabel(messages.dialog.confirmLabel).fill(confirmation)
      await submit.click()
      await page
        .getByRole('region', { name: messages.decide.titleView })
        .getByText(messages.status.approved, { exact: true })
        .waitFor()
      expect(posts()).toEqual([
        {
          path: `/api/inbox/${review.view.intent_id}/approve`,
          body: { intent_hash: intentHash(review.view), confirm: confirmation },
        },
      ])
    })

    it.each([
      ['d', messages.dialog.denyLabel, messages.decide.deny, 'deny'],
      ['r', messages.dialog.changesLabel, messages.decide.requestChanges, 'request-changes'],
    ])('by %s asks for words first', async (key, label, button, route) => {
      const review = aReview()
      const page = await reviewing(review)
      await approvable(page)
      await page.keyboard.press(key)
      const dialog = page.getByRole('dialog')
      await dialog.getByLabel(label).fill('Only half of it')
      await dialog.getByRole('button', { name: button }).click()
      await page.getByText('Only half of it').waitFor()
      expect(posts()).toEqual([
        {
          path: `/api/inbox/${review.view.intent_id}/${route}`,
          body: { intent_hash: intentHash(review.view), comment: 'Only half of it' },
        },
      ])
    })

    it('that the gate refuses is explained, and read again', async () => {
      meant = /409/
      const review = aReview()
      const page = await reviewing(review)
      await approvable(page)
      gate.refusals.set(`/api/inbox/${review.view.intent_id}/approve`, 'STALE_VIEW')
      await page.getByRole('button', { name: messages.decide.approve }).click()
      await page.getByRole('alert').getByText(messages.error.STALE_VIEW).waitFor()
    })

    it('that needs what is hidden to be seen says so', async () => {
      meant = /403/
      const review = aDeploy({
        confirmation: null,
        view: { risk_tier: 'high', params: { token: hiddenText(8, 'ab') }, redacted: ['/token'] },
      })
      const page = await reviewing(review)
      await approvable(page)
      gate.refusals.set(`/api/inbox/${review.view.intent_id}/approve`, 'ASSURANCE_REQUIRED')
      await page.getByRole('button', { name: messages.decide.approve }).click()
      await page.getByRole('alert').getByText(messages.hidden.first).waitFor()
    })

    it('can be withdrawn, and an execution that never reported be reconciled', async () => {
      const state = { state: 'unknown', continuations: 0, deadline: null, reported_by: null, disputed: false } as const
      const review = aReview({ status: 'approved', execution: state })
      const page = await reviewing(review)
      await page.getByRole('button', { name: messages.record.reconcile }).click()
      await page.getByLabel(messages.dialog.reconcileLabel).fill('Seen in the ledger')
      await page.getByRole('button', { name: messages.dialog.happened }).click()
      await page.getByText(messages.record.execution.succeeded, { exact: true }).waitFor()

      const open = put(aReview({ status: 'approved' }))
      await page.goto(`${gate.url}/inbox/${open.view.intent_id}`)
      await page.getByRole('button', { name: messages.record.withdraw }).click()
      await page.getByRole('dialog').getByLabel(messages.dialog.withdrawLabel).fill('Wrong customer')
      await page.getByRole('dialog').getByRole('button', { name: messages.dialog.withdraw }).click()
      await page.getByText(messages.record.execution.abandoned).waitFor()
      expect(posts()).toEqual([
        {
          path: `/api/inbox/${review.view.intent_id}/reconcile`,
          body: { finding: 'happened', comment: 'Seen in the ledger' },
        },
        { path: `/api/inbox/${open.view.intent_id}/withdraw`, body: { reason: 'Wrong customer' } },
      ])
    })

    it('goes on to the next with j, and back with k', async () => {
      const [first, second] = [aReview({ view: { action: 'first' } }), aReview({ view: { action: 'second' } })]
      const page = await reviewing(first, second)
      await page.keyboard.press('j')
      await shows(page, second)
      await page.keyboard.press('k')
      await shows(page, first)
    })
  })

  describe.each([
    ['light, desktop', DESKTOP],
    ['dark, phone', PHONE],
  ])('%s', (_, device) => {
    const execution = { state: 'unknown', continuations: 1, deadline: null, reported_by: null, disputed: true } as const
    it.each<[string, WireReview]>([
      ['a refund', aReview()],
      ['a critical deploy', aDeploy()],
      ['a decided intent', aReview({ status: 'approved', execution })],
      ['a refused view', { ...aReview(), intent_hash: 'sha-256:other' }],
    ])('%s has no violation that axe finds, and nothing wider than the screen', async (_name, review) => {
      gate.reviews = [review]
      const page = await signedIn(device, `/inbox/${review.view.intent_id}`)
      await shows(page, review)
      expect([await violations(page), await overflow(page)]).toEqual([[], 0])
    })

    it('neither has the inbox', async () => {
      gate.reviews = [
        aReview(),
        aDeploy(),
        aReview({ can_vote: { ok: false, code: 'ALREADY_VOTED', reason: '', on_behalf_of: null } }),
      ]
      const page = await signedIn(device)
      await page.locator('[data-row]').first().waitFor()
      expect([await violations(page), await overflow(page)]).toEqual([[], 0])
    })

    it('neither has an open dialog', async () => {
      const review = put(aDeploy())
      const page = await signedIn(device, `/inbox/${review.view.intent_id}`)
      await page.getByRole('button', { name: messages.params.showAll }).first().click()
      await page.getByRole('button', { name: messages.decide.approve }).click()
      await page.getByRole('dialog').waitFor()
      expect([await violations(page), await overflow(page)]).toEqual([[], 0])
    })
  })
})

/** A tab of a browser of its own, whose complaints are kept. */
async function open(device: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...device })
  context.setDefaultTimeout(10_000)
  context.on('page', (page) => {
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('dialog', (dialog) => {
      complaints.push(`a script opened a dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
  })
  return await context.newPage()
}

async function signedIn(device: BrowserContextOptions, next = '/inbox'): Promise<Page> {
  const page = await open(device)
  await page.goto(gate.signInLink(next))
  await page.waitForURL(`${gate.url}${next}`)
  return page
}

/** Signed in and looking at the first of these. */
async function reviewing(...reviews: [WireReview, ...WireReview[]]): Promise<Page> {
  gate.reviews = reviews
  const page = await signedIn(DESKTOP, `/inbox/${reviews[0].view.intent_id}`)
  await shows(page, reviews[0])
  return page
}

function put(review: WireReview): WireReview {
  gate.reviews = [review, ...gate.reviews]
  return review
}

async function shows(page: Page, review: WireReview): Promise<void> {
  await page.locator(`[data-intent="${review.view.intent_id}"]`).waitFor()
}

async function approvable(page: Page): Promise<void> {
  await page.getByRole('button', { name: messages.decide.approve, exact: true, disabled: false }).waitFor()
}

async function streaming(): Promise<void> {
  await vi.waitFor(() => expect(gate.streams).toBe(1), 5_000)
}

/** After a round trip through the page: whatever a key set off has been sent. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(() => fetch('/favicon.svg').then((response) => response.text()))
}

function posts(): { path: string; body: unknown }[] {
  return gate.received
    .filter(({ method, path: to }) => method === 'POST' && to !== '/api/session')
    .map(({ path: to, body }) => ({ path: to, body }))
}

async function violations(page: Page): Promise<string[]> {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
  const { violations: found } = await new AxeBuilder({ page }).withTags(tags).analyze()
  return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`))
}

/** Pixels by which the page is wider than the window. */
async function overflow(page: Page): Promise<number> {
  return await page.evaluate(() =>
    Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth),
  )
}
