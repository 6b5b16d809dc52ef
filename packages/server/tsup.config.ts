import { cp } from 'node:fs/promises'
import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm'],
  dts: false,
  sourcemap: true,
  clean: true,
  target: 'node24',
  // The pages that the server serves travel inside its package; turbo builds them first.
  onSuccess: () =>
    cp(new URL('../dashboard/dist', import.meta.url), new URL('dist/dashboard', import.meta.url), { recursive: true }),
})
