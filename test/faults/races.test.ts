import { itHolds } from './it-holds.ts'
import { suite } from './races.suite.ts'

itHolds(suite)
