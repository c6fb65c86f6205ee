import { describeRemoval, WAYS } from './removalCases.ts';

describeRemoval(() => WAYS);
