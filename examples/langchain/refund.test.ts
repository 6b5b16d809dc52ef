import { describeHeldExample } from '../../test/support/example-suites.ts'

describeHeldExample(import.meta.dirname, 'refund.ts')
