import { cp } from 'node:fs/promises'
import { defineConfig } from 'tsup'
import { buildOf } from '../../tsup.config.ts'

// The pages that the server serves travel inside its package; turbo builds them first.
export default defineConfig(() =>
  buildOf({ onSuccess: () => cp('../dashboard/dist', 'dist/dashboard', { recursive: true }) }),
)
