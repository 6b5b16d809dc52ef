/**
 * A JSON form is the shape of JSON that people write, checked strictly; what is wrong is named by its place, never by its value.
 *
 * @module
 */
import { z } from 'zod'
import { SilentAuthError } from './errors.js'
import { type JsonObject, pointerStep } from './json.js'

/** Reads one strict form. @throws SilentAuthError `MISSING_FIELDS` or `INVALID_FIELD`, never with a value in its message */
export function parseForm<Form>(form: z.ZodType<Form>, json: unknown, at: string): Form {
  const parsed = form.safeParse(json)
  if (parsed.success) return parsed.data
  throw formError(json, parsed.error, at)
}

/** Text that every store and screen keeps as it is. */
export function plainText(maxLength: number): z.ZodType<string> {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), 'holds control characters or a lone surrogate')
}

/** For lists in which nothing may stand twice. */
export function isSet(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function formError(json: unknown, error: z.ZodError, at: string): SilentAuthError {
  const [issue] = error.issues
  const path = at + (issue?.path ?? []).map((step) => pointerStep(String(step))).join('')
  if (issue?.code === 'unrecognized_keys') {
    const field = path + pointerStep(issue.keys[0] ?? '')
    return new SilentAuthError('INVALID_FIELD', `${field}: is not a member`, { field, cause: error })
  }
  if (issue !== undefined && isAbsent(json, issue.path)) {
    return new SilentAuthError('MISSING_FIELDS', `missing: ${path}`, { field: path, cause: error })
  }
  return new SilentAuthError('INVALID_FIELD', `${path || 'the whole'}: ${reasonOf(issue)}`, {
    field: path,
    cause: error,
  })
}

function isAbsent(json: unknown, path: readonly PropertyKey[]): boolean {
  let value = json
  for (const step of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[step]
  return value === undefined
}

/** zod's own messages can quote the input; only those that are written here are passed on. */
function reasonOf(issue: z.core.$ZodIssue | undefined): string {
  switch (issue?.code) {
    case 'custom':
    case 'invalid_format':
      return issue.message
    case 'too_big':
    case 'too_small':
      return 'is out of range'
    default:
      return 'has the wrong type or is none of the allowed values'
  }
}
