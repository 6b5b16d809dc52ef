import { expect, it } from 'vitest'
import { actionName } from '../src/action-name.ts'

it.each([
  ['issue_refund', 'issue_refund'],
  ['issueRefund', 'issue_refund'],
  ['IssueRefund', 'issue_refund'],
  ['issue-refund', 'issue_refund'],
  ['Issue Refund', 'issue_refund'],
  ['getHTTPPage', 'get_http_page'],
  ['s3Upload', 's3_upload'],
  ['github.create_issue', 'github.create_issue'],
])('%s becomes %s', (name, action) => {
  expect(actionName(name)).toBe(action)
})

it.each(['', '2fa', '删除', 'a/b', 'x'.repeat(129)])('%j makes no action', (name) => {
  expect(() => actionName(name)).toThrow(TypeError)
})
