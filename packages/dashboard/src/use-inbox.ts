/**
 * The inbox as a page reads it: pending intents, or those that were decided lately.
 *
 * @module
 */
import type { WireInboxItem } from '@silentauth/core/wire'
import { useInfiniteQuery } from '@tanstack/react-query'
import type { Api, InboxPage, InboxStatus } from './api.js'
import { usePollMs, useServices } from './services.js'

export type InboxFilter = 'pending' | 'decided'

const DECIDED: readonly InboxStatus[] = [
  'approved',
  'denied',
  'changes_requested',
  'expired',
  'cancelled',
  'superseded',
]

export interface Inbox {
  /** Newest first; undefined until it was read once. */
  readonly items: readonly WireInboxItem[] | undefined
  readonly error: unknown
  /** Undefined when all are shown. */
  readonly more: (() => void) | undefined
  retry(): void
}

export function useInbox(filter: InboxFilter): Inbox {
  const { api } = useServices()
  const pollMs = usePollMs()
  const query = useInfiniteQuery({
    queryKey: ['inbox', filter],
    queryFn: ({ pageParam, signal }) => readPage(api, filter, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: InboxPage) => page.nextCursor ?? undefined,
    refetchInterval: filter === 'pending' ? pollMs : Math.max(pollMs, 30_000),
  })
  const items = query.data?.pages.flatMap((page) => page.items)
  return {
    // A page is read at its own moment: what moved in between must not appear twice.
    items: items && [...new Map(items.map((item) => [item.id, item])).values()],
    error: query.error,
    more: query.hasNextPage && !query.isFetchingNextPage ? () => void query.fetchNextPage() : undefined,
    retry: () => void query.refetch(),
  }
}

async function readPage(
  api: Api,
  filter: InboxFilter,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<InboxPage> {
  if (filter === 'pending') return api.inbox('pending', cursor, signal)
  // The gate lists one status at a time. Only the latest of each are read, so there is no next page here.
  const pages = await Promise.all(DECIDED.map((status) => api.inbox(status, undefined, signal)))
  return { items: latest(pages.flatMap((page) => page.items)), nextCursor: null }
}

/** The newest hundred, by when they were asked for. */
export function latest(items: readonly WireInboxItem[]): readonly WireInboxItem[] {
  return [...items].sort((one, other) => (one.created_at < other.created_at ? 1 : -1)).slice(0, 100)
}
