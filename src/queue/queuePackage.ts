// What we use of the packages, as a bundle of its own (see scripts/build.mjs): it is loaded when a queue is named and not before.
export {
  assertSchemaCompatibility,
  createIORedisClient,
  createPostgresBackend,
  createRedisBackend,
  LATEST_SCHEMA_VERSION,
  RedisConnection,
  runMigrations,
  WaitingError,
  withBackend,
} from 'bullmq';
export type { BackendClasses, ConnectionOptions, IQueueBackend, Job, PostgresConnectionOptions, Span } from 'bullmq';
export { Redis } from 'ioredis';
export { default as postgres } from 'pg';
