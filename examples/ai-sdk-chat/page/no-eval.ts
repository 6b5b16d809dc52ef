/**
 * Schemas must not be compiled in this page: its policy forbids `eval`, and the try alone would be reported. Imported first.
 */
import { config } from 'zod'

config({ jitless: true })
