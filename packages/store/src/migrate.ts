/**
 * Migrating: the schema is brought up to date under a lock, whole or not at all.
 *
 * @module
 */
import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { MIGRATIONS } from './migrations.js'
import type { Tables } from './tables.js'

/** @throws Error when a migration fails, or the schema is newer than these migrations */
export async function migrate(
  db: Kysely<Tables>,
  migrations: Readonly<Record<string, Migration>> = MIGRATIONS,
): Promise<void> {
  const applied = await appliedMigrations(db)
  const unknown = applied.filter((name) => !Object.hasOwn(migrations, name))
  if (unknown.length > 0) {
    throw new Error(
      `the database has a newer schema (${unknown.join(', ')}): use the version that wrote it, or a later one`,
    )
  }
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } })
  const { error } = await migrator.migrateToLatest()
  if (error) throw new Error('the database could not be migrated; it is as it was before', { cause: error })
}

async function appliedMigrations(db: Kysely<Tables>): Promise<readonly string[]> {
  const table = await sql<{ name: string }>`
    select name from sqlite_master where type = 'table' and name = 'kysely_migration'`.execute(db)
  if (table.rows.length === 0) return []
  const names = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  return names.rows.map(({ name }) => name)
}
