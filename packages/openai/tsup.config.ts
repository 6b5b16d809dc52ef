import { defineConfig } from 'tsup'
import { buildOf } from '../../tsup.config.ts'

/** Both: the two builds of the Agents SDK do not mix. */
export default defineConfig(() => buildOf({ format: ['esm', 'cjs'], splitting: false }))
