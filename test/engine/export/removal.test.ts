import { describeRemoval, WAYS } from './removalCases.ts';

// One way for each family, in turn; all of them are removal.slow.ts.
describeRemoval((family) => [WAYS[family % WAYS.length]!]);
