/**
 * Action names: what a tool's name is called in an intent, so that policies are written in one spelling.
 *
 * @module
 */
import { ACTION_PATTERN } from './intent.js'

/** `issueRefund`, `IssueRefund` and `issue-refund` → `issue_refund`. @throws TypeError when no action can be made of it */
export function actionName(toolName: string): string {
  const action = toolName
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[\s-]+/g, '_')
    .toLowerCase()
  if (!ACTION_PATTERN.test(action)) {
    throw new TypeError(
      `tool ${JSON.stringify(toolName)}: its name makes no action; give it one with the option action`,
    )
  }
  return action
}
