/**
 * The `silentauth` command.
 *
 * @module
 */
export { main } from './main.js'
