import { itHolds } from './it-holds.ts'
import { suite } from './nth-fault.suite.ts'

itHolds(suite)
