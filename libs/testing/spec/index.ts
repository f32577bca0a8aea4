export { given, type DeciderSpec } from './decider-spec.js';
export { givenSaga } from './saga-spec.js';
