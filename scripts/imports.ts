/**
 * The imports of a TypeScript or JavaScript text: static, dynamic, re-exports, and those inside types.
 *
 * @module
 */
import { parseAst } from 'vitest/node'

export interface Import {
  specifier: string
  /** `export * from`, with or without a name. */
  exportsAll: boolean
}

/** @throws where the text does not parse; the message names the file. */
export function importsOf(file: string, text: string): Import[] {
  const found: Import[] = []
  visit(parse(file, text), (node) => {
    const source = sourceOf(node)
    if (source !== undefined) found.push({ specifier: source, exportsAll: node.type === 'ExportAllDeclaration' })
  })
  return found
}

/** `@scope/name` of `@scope/name/sub`; undefined for relative specifiers and for Node's own modules. */
export function packageOf(specifier: string): string | undefined {
  if (/^(\.|\/|#|node:|data:)/.test(specifier)) return undefined
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

interface Node {
  type: string
  [member: string]: unknown
}

function parse(file: string, text: string): Node {
  try {
    const lang = file.endsWith('x') ? 'tsx' : file.endsWith('.d.ts') ? 'dts' : 'ts'
    return parseAst(text, { lang }, file) as unknown as Node
  } catch (cause) {
    throw new Error(`${file} does not parse`, { cause })
  }
}

function sourceOf(node: Node): string | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return textOf(node.source)
    case 'TSExternalModuleReference':
      return textOf(node.expression)
    case 'CallExpression':
      return isNode(node.callee) && node.callee.name === 'require'
        ? textOf((node.arguments as unknown[])[0])
        : undefined
  }
  return undefined
}

/** The value of a plain text literal. */
function textOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined
  // Within types the literal is wrapped once more.
  const literal = node.type === 'TSLiteralType' ? node.literal : node
  return isNode(literal) && typeof literal.value === 'string' ? literal.value : undefined
}

function visit(node: Node, see: (node: Node) => void): void {
  see(node)
  for (const member of Object.values(node)) {
    for (const child of Array.isArray(member) ? member : [member]) if (isNode(child)) visit(child, see)
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'
}
