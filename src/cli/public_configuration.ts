/**
 * The configuration of a running relay as its status tells it: in the sections and under the names of config.toml.
 *
 * @module
 */
import type { RelayConfig } from "../config_load.ts";

/** An allow-list: a setting that is added to the configuration is a secret until it is named here. */
export function publicConfiguration(config: RelayConfig): Readonly<Record<string, unknown>> {
  const { halves, originator, storage, server, limits, uploads, log, streams, relayToken, providers } =
    config;
  return {
    halves: { app: halves.app, personal: halves.personal },
    ...(halves.app && { originator }),
    providers: providers.enabled,
    storage: { data_dir: storage.dataDir },
    server: {
      host: server.host,
      port: server.port,
      cors_origins: server.corsOrigins,
      max_body_bytes: server.maxBodyBytes,
      body_timeout_seconds: server.bodyTimeoutMs / 1000,
      shutdown_grace_seconds: server.shutdownGraceMs / 1000,
    },
    security: {
      token_grace_seconds: relayToken.graceMs / 1000,
      rate_limit_per_minute: limits.ratePerMinute,
      rate_limit_burst: limits.rateBurst,
      concurrent_requests_per_ip: limits.concurrentRequests,
      failed_auth_window_seconds: limits.failedAuthWindowMs / 1000,
      failed_auth_max_attempts: limits.failedAuthMaxAttempts,
      failed_auth_block_seconds: limits.failedAuthBlockMs / 1000,
      trust_x_forwarded_for: limits.trustForwardedFor,
      trusted_proxy_hops: limits.trustedProxyHops,
      exempt_addresses: limits.exemptAddresses,
    },
    uploads: {
      max_upload_bytes: uploads.maxUploadBytes,
      max_total_upload_bytes: uploads.maxTotalUploadBytes,
    },
    logging: {
      enabled: log.enabled,
      dir: log.dir,
      retention_days: log.retentionDays,
      max_total_bytes: log.maxTotalBytes,
      bodies: log.bodies,
    },
    streams: {
      keep_alive_seconds: streams.keepAliveMs / 1000,
      silence_seconds: streams.silenceLimitMs / 1000,
      first_byte_seconds: streams.firstByteLimitMs / 1000,
    },
  };
}
