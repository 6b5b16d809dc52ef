/**
 * Migrating: the schema is brought up to date under a lock, whole or not at all.
 *
 * @module
 */
import { sql } from 'kysely'
import { DEFAULT_MIGRATION_TABLE, Migrator } from 'kysely/migration'
import type { Builder } from './engine.js'
import type { Migrations } from './migrations.js'

/** @throws Error when a migration fails, or the schema is newer than these migrations */
export async function migrate(db: Builder, migrations: Migrations): Promise<void> {
  const applied = await appliedMigrations(db)
  // Looked at first: kysely's own words for it do not say what to do.
  const unknown = applied.filter((name) => !Object.hasOwn(migrations, name))
  if (unknown.length > 0) {
    throw new Error(
      `the database has a newer schema (${unknown.join(', ')}): use the version that wrote it, or a later one`,
    )
  }
  // Without the write lock, which another process may need for long.
  if (applied.length === Object.keys(migrations).length) return
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } })
  const { error } = await migrator.migrateToLatest()
  if (error) throw new Error('the database could not be migrated; it is as it was before', { cause: error })
}

async function appliedMigrations(db: Builder): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === DEFAULT_MIGRATION_TABLE)) return []
  const names = await sql<{ name: string }>`select name from ${sql.table(DEFAULT_MIGRATION_TABLE)}`.execute(db)
  return names.rows.map(({ name }) => name)
}
