import { REDIS, testQueuePool, testRedis } from './queuePoolTests.ts';

testQueuePool(REDIS);
testRedis();
