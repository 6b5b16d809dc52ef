/**
 * The page of `examples/ai-sdk-chat` as its own configuration builds it, but of this repository's sources: a test must not pass
 * on what an older build left behind.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'

export default {
  root: fileURLToPath(new URL('../../examples/ai-sdk-chat/page', import.meta.url)),
  build: { emptyOutDir: true },
  ...(process.env.SA_DIST
    ? {}
    : { resolve: { conditions: ['@silentauth/source', 'module', 'browser', 'development|production'] } }),
}
