import tailwind from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defaultClientConditions, defineConfig } from 'vite'

export default defineConfig({
  plugins: [tailwind(), react()],
  // Core's sources, module by module: what the pages do not use is left out of the bundle.
  resolve: { conditions: ['@silentauth/source', ...defaultClientConditions] },
  build: {
    target: ['chrome120', 'edge120', 'firefox121', 'safari17.2'],
    // The pages run under a policy without `data:` addresses and inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    emptyOutDir: true,
  },
})
