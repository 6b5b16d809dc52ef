import { describeStore } from '../src/contracts.js'
import { memoryStore } from '../src/memory-store.js'

describeStore('memoryStore', () => memoryStore())

describeStore('memoryStore that gives places afterwards', () => memoryStore({ sequencing: 'deferred' }))
