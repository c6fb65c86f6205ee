// What we use of the packages, as a bundle of its own (see scripts/build.mjs): it is loaded when a queue is named and not before.
export { createPostgresBackend, createRedisBackend, WaitingError, withBackend } from 'bullmq';
export type { BackendClasses, IQueueBackend, Job } from 'bullmq';
export { Redis } from 'ioredis';
export { default as postgres } from 'pg';
