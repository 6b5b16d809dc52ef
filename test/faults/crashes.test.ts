import { suite } from './crashes.suite.ts'
import { itHolds } from './it-holds.ts'

itHolds(suite)
