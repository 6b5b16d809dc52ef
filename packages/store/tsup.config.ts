import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/sqlite.ts'],
  format: ['esm'],
  dts: false,
  sourcemap: true,
  clean: true,
  target: 'node24',
})
