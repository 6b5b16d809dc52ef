/**
 * One page of a list that is read whole: of what a project has few of, ordered by something unique.
 *
 * @module
 */
import { z } from 'zod'

export const listQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^[0-9]{1,3}$/, 'must be 1 to 100')
    .transform(Number)
    .pipe(z.int().min(1).max(100))
    .optional(),
  cursor: z.string().min(1).max(512).optional(),
})

/** @param nameOf by which the list is ordered; the cursor is the last one that was given */
export function listPage<Item, Wire>(
  items: readonly Item[],
  { limit = 50, cursor }: z.output<typeof listQuery>,
  nameOf: (item: Item) => string,
  toWire: (item: Item) => Wire,
): { data: Wire[]; beside: { next_cursor: string | null } } {
  const rest = cursor === undefined ? items : items.filter((item) => nameOf(item) > cursor)
  const page = rest.slice(0, limit)
  const last = page.at(-1)
  return {
    data: page.map(toWire),
    beside: { next_cursor: last !== undefined && rest.length > limit ? nameOf(last) : null },
  }
}
