/**
 * The gate as a middleware of LangChain agents.
 *
 * @module
 */
export { type GateMiddlewareOptions, gateMiddleware } from './gate-middleware.js'
