import { describeSuspendedExample } from '../../test/support/example-suites.ts'

describeSuspendedExample(import.meta.dirname, 'start.ts', 'suspended.ts')
