/**
 * The gate over HTTP: API, sign-in, inbox, JWKS, dashboard.
 *
 * @module
 */
export { fileAnchor, webhookAnchor } from './anchors.js'
export { configurationOf, productionConfigurationOf } from './configuration.js'
export { createGateApp, type GateApp, type GateAppOptions, type GateEnv } from './gate-app.js'
export { type KeyRotation, rotatePermitKey } from './key-rotation.js'
export { DEFAULT_LIMITS, type Limits } from './limits.js'
export { type RestoreOutcome, type RestoreServerOptions, restoreServer } from './restore.js'
export { type PruneDataOptions, pruneData } from './retention.js'
export { type ServedGate, type ServeOptions, serveGate } from './serve.js'
export { type RunningServer, type ServerOptions, startServer } from './start-server.js'
export { DEFAULT_POLICIES, type StoredChange } from './stored-policies.js'
