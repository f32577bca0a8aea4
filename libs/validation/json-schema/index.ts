export { Components } from './components.js';
export { named, nullable, type JsonSchema } from './json-schema.js';
export { jsonSchemaOf } from './of-class.js';
export { withSchema } from './rules.js';
