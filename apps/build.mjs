/** `npm run build`: installs what is missing, compiles the product and builds the console. */
import { prepare } from './prepare.mjs';

await prepare('tsconfig.build.json');
