/**
 * The gate over HTTP: API, sign-in, inbox, JWKS, dashboard.
 *
 * @module
 */
export { createGateApp, type GateApp, type GateAppOptions, type GateEnv } from './gate-app.js'
export { DEFAULT_LIMITS, type Limits } from './limits.js'
