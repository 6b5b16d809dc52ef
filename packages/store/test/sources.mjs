/**
 * For child processes of tests: Node runs TypeScript, but takes `./x.js` for a file of that name. This leads it to the source,
 * so that a child runs what the tests run; with SA_DIST=1 there are no sources to lead to.
 */
import { registerHooks } from 'node:module'

registerHooks({
  resolve(specifier, context, next) {
    const isSource = context.parentURL?.endsWith('.ts') && specifier.startsWith('.') && specifier.endsWith('.js')
    return next(isSource ? `${specifier.slice(0, -3)}.ts` : specifier, context)
  },
})
