import { itHolds } from './it-holds.ts'
import { suite } from './model.suite.ts'

itHolds(suite)
