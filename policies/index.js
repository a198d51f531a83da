/**
 * The pack's entry, in JavaScript because the CLI loads it through an old TypeScript compiler that
 * cannot read this project; what it imports is loaded by Node itself, types stripped.
 */
import './pack.ts';
