/**
 * docs/http-api.md: the OpenAPI document of the server as a page that a person reads.
 *
 * @module
 */

/** The members of an OpenAPI 3.1 document that are read here. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}
interface Operation {
  readonly summary: string
  readonly security: readonly object[]
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>
}
type Content = Readonly<Record<string, { readonly schema: Schema }>>
interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly description?: string
  readonly default?: unknown
}

export function httpApiPage(document: OpenApi): string {
  const shown = new Map<string, string>()
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      section(document, shown, `${method.toUpperCase()} ${path}`, operation),
    ),
  )
  return `# HTTP API

JSON in and out. Answers are \`{ "data": …, "error": null }\` or \`{ "data": null, "error": { "code", "message", "hint" } }\`; lists have
\`next_cursor\` beside \`data\`. What is absent is null; instants are RFC 3339 with milliseconds, durations whole seconds. Unknown members, duplicate and
escaped member names are an error that names them. The same as a document for machines: \`GET /openapi.json\`. Every code: [errors.md](errors.md).

Agents send \`Authorization: Bearer sk_…\`. People send the cookie of their sign-in, and its secret as \`x-sa-session\`, because a cookie alone reaches
every port of a host. Each credential is refused where the other belongs. \`Idempotency-Key\` on a POST protects one transport retry for 24 hours.

${routes.join('\n')}`
}

/** @param shown shapes that have been listed, by their members, and where */
function section(document: OpenApi, shown: Map<string, string>, title: string, operation: Operation): string {
  const { summary, security, parameters, requestBody, responses } = operation
  const query = parameters.filter((parameter) => parameter.in === 'query')
  const body = schemaOf(document, requestBody?.content)
  const [good] = Object.entries(responses).filter(([status]) => status.startsWith('2'))
  const answer = schemaOf(document, good?.[1].content)
  const refusals = Object.entries(responses).filter(([status]) => !status.startsWith('2'))
  const lines = [
    `## ${title}`,
    '',
    `${summary} ${credentialOf(security)}`,
    '',
    ...(query.length > 0
      ? ['Query:', '', ...query.map(({ name, schema }) => `- \`${name}\`: ${kindOf(document, schema)}`), '']
      : []),
    ...(body?.properties ? ['Body:', '', ...members(document, body), ''] : []),
    ...answerLines(document, shown, title, answer),
    ...(refusals.length > 0
      ? [`Refusals: ${refusals.map(([status, { description }]) => `${status} ${description}`).join('; ')}.`, '']
      : []),
  ]
  return lines.join('\n')
}

function answerLines(
  document: OpenApi,
  shown: Map<string, string>,
  title: string,
  answer: Schema | undefined,
): string[] {
  const data = answer?.properties?.data
  if (!data) return []
  const resolved = resolve(document, data)
  const item = resolved.items && resolve(document, resolved.items)
  const shape = item ?? resolved
  if (!shape.properties) return [`\`data\`: ${kindOf(document, data)}`, '']
  const each = item ? ', each' : ''
  const lines = members(document, shape)
  const before = shown.get(lines.join())
  if (before) return [`\`data\`${each}: as in ${before}.`, '']
  if (lines.length > 3) shown.set(lines.join(), title)
  return [`\`data\`${each}:`, '', ...lines, '']
}

function members(document: OpenApi, schema: Schema): string[] {
  return Object.entries(schema.properties ?? {}).map(([name, member]) => {
    const required = schema.required?.includes(name) ? '' : ', optional'
    const more = member.description ? `. ${member.description}` : ''
    return `- \`${name}\`: ${kindOf(document, member)}${required}${more}`
  })
}

function kindOf(document: OpenApi, schema: Schema): string {
  // The one schema that refers to itself.
  if (schema.$ref?.includes('__schema')) return 'any JSON'
  const resolved = resolve(document, schema)
  if (resolved.const !== undefined) return `\`${JSON.stringify(resolved.const)}\``
  if (resolved.enum) return resolved.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (resolved.anyOf) {
    const kinds = resolved.anyOf.map((one) => kindOf(document, one))
    return [...new Set(kinds)].length > 4 ? 'any JSON' : [...new Set(kinds)].join(' or ')
  }
  if (resolved.type === 'array') return `list of ${resolved.items ? kindOf(document, resolved.items) : 'any JSON'}`
  if (Array.isArray(resolved.type)) return resolved.type.join(' or ')
  return typeof resolved.type === 'string' ? resolved.type : 'any JSON'
}

function resolve(document: OpenApi, schema: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1)
  return name === undefined ? schema : (document.components.schemas[name] ?? {})
}

function schemaOf(document: OpenApi, content: Content | undefined): Schema | undefined {
  const schema = content && Object.values(content)[0]?.schema
  return schema && resolve(document, schema)
}

function credentialOf(security: readonly object[]): string {
  const [first] = security
  if (!first) return '*No credential.*'
  return 'projectKey' in first ? '*Project key.*' : '*Signed-in person.*'
}
