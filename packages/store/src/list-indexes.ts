/**
 * Indexes of lists: each filter that stands alone gives its page in order, however many intents there are besides.
 *
 * @module
 */
import { type Kysely, sql } from 'kysely'

export async function listIndexes({ schema }: Kysely<unknown>): Promise<void> {
  const index = (name: string) => schema.createIndex(name).on('intents')
  await index('intents_of_action').columns(['project_id', 'action', 'created_at', 'id']).execute()
  await index('intents_of_source')
    .columns(['project_id', 'source', 'created_at', 'id'])
    .where(sql`source`, 'is not', null)
    .execute()
}
