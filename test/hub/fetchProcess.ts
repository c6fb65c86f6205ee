// A process that fetches a model and says where it is: fetchProcess REFERENCE, with the endpoint and the cache in the environment.
import { toErrorData } from '../../src/base/errors.ts';
import { hubEnvironment } from '../../src/hub/hubEnvironment.ts';
import { locate } from '../../src/hub/locate.ts';

const [, , reference = ''] = process.argv;
locate(reference, 'model', {
  environment: hubEnvironment(),
  token: () => Promise.resolve(undefined),
  agree: () => Promise.resolve(true),
  firstPause: 0.001,
}).then(
  (place) => {
    console.log(JSON.stringify({ place }));
  },
  (thrown: unknown) => {
    console.log(JSON.stringify({ error: toErrorData(thrown, 'fetching') }));
  },
);
