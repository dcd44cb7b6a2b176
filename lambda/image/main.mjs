import { main } from './index.mjs';

await main();
