/**
 * The test build of the engine: a process that starts with this runs the sources, with one function of core replaced where
 * `MODEL_DEFECT` names a defect. The sources know nothing of it.
 */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

const CORE = new URL('../../../packages/core/src/', import.meta.url).href
const DEFECTS = new URL('./defects.ts', import.meta.url).href
const ORIGINAL = '?original'
const defect = process.env.MODEL_DEFECT
// Which module it is in comes with its name: the list itself is read by the modules that replace.
const target = defect && `${CORE}${process.env.MODEL_DEFECT_MODULE}.ts`

registerHooks({
  resolve(specifier, context, next) {
    // Node runs TypeScript, but takes `./x.js` for a file of that name.
    const isSource = context.parentURL?.replace(ORIGINAL, '').endsWith('.ts')
    const isOurs = isSource && specifier.startsWith('.') && specifier.endsWith('.js')
    return next(isOurs ? `${specifier.slice(0, -3)}.ts` : specifier, context)
  },
  load(url, context, next) {
    if (url !== target) return next(url, context)
    return { format: 'module', shortCircuit: true, source: replacing(url) }
  },
})

/** A module with the same exports, some of them as the defect has them. */
function replacing(url) {
  const text = readFileSync(fileURLToPath(url), 'utf8')
  const names = [...text.matchAll(/^export (?:async )?(?:function\*?|const) (\w+)/gm)].map(([, name]) => name)
  return [
    `import * as original from ${JSON.stringify(url + ORIGINAL)}`,
    `import { replacementsOf } from ${JSON.stringify(DEFECTS)}`,
    `const { ${names.join(', ')} } = { ...original, ...replacementsOf(${JSON.stringify(defect)}, original) }`,
    `export { ${names.join(', ')} }`,
  ].join('\n')
}
