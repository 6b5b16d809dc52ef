import { describeSuspendedExample } from '../../test/support/example-suites.ts'

describeSuspendedExample(import.meta.dirname, 'refund.ts')
