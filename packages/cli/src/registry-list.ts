/**
 * A list of the registry, all of its pages.
 *
 * @module
 */
import { SilentAuthError } from '@silentauth/core'
import { z } from 'zod'
import { ask, readSession } from './approver-session.js'

const MAX_PAGES = 1000

/** @throws SilentAuthError with the gate's code; `GATE_UNAVAILABLE` for an answer that is no such list */
export async function listed<Item extends { readonly id: string }>(
  route: string,
  form: z.ZodType<Item>,
): Promise<Item[]> {
  const session = await readSession()
  const items: Item[] = []
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const last = items.at(-1)
    const cursor = last ? `&cursor=${encodeURIComponent(last.id)}` : ''
    const { data } = await ask(session, `${route}?limit=100${cursor}`)
    const page = z.array(form).safeParse(data)
    if (!page.success) throw new SilentAuthError('GATE_UNAVAILABLE', `${session.url} answered with something else`)
    items.push(...page.data)
    if (page.data.length < 100) return items
  }
  return items
}
