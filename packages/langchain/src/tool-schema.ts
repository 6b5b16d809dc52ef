/**
 * Tool schemas: the checks that LangChain makes of a tool's arguments, for those that did not come through LangChain.
 *
 * @module
 */
import { ToolInputParsingException } from '@langchain/core/tools'
import { toJsonSchema, Validator } from '@langchain/core/utils/json_schema'
import { type InteropZodType, interopParseAsync, isInteropZodSchema } from '@langchain/core/utils/types'
import type { JsonObject, Parse } from '@silentauth/core'

/** What of a tool says how its arguments are parsed. */
export interface HasSchema {
  readonly schema: unknown
}

/** As `StructuredTool.call` parses, for arguments that did not come through it. */
export function parserOf(tool: HasSchema): Parse {
  return async (args) => {
    const { schema } = tool
    if (isInteropZodSchema(schema)) return interopParseAsync(schema as InteropZodType, args)
    const { valid } = new Validator(schema as ConstructorParameters<typeof Validator>[0]).validate(args)
    if (!valid) throw new ToolInputParsingException('Received tool input did not match expected schema')
    return args
  }
}

/** What an approver's edits must satisfy. @throws TypeError when the schema has no JSON form */
export function editSchemaOf(name: string, tool: HasSchema): JsonObject {
  try {
    return JSON.parse(JSON.stringify(toJsonSchema(tool.schema as Parameters<typeof toJsonSchema>[0]))) as JsonObject
  } catch (cause) {
    throw new TypeError(`${name}: allowEdits needs a schema that has a JSON form`, { cause })
  }
}
