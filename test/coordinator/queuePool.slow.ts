import { POSTGRES, testQueuePool } from './queuePoolTests.ts';

testQueuePool(POSTGRES);
