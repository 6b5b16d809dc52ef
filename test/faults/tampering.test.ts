import { itHolds } from './it-holds.ts'
import { suite } from './tampering.suite.ts'

itHolds(suite)
