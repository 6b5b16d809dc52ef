import { describeStore } from '../src/contracts.js'
import { memoryStore } from '../src/memory-store.js'

describeStore('memoryStore', () => memoryStore())
