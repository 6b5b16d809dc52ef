import { itHolds } from './it-holds.ts'
import { suite } from './partition.suite.ts'

itHolds(suite)
