/** What `pulumi preview` and `pulumi up` run: the default export is the program. */
export { buildStack as default } from './program.ts';
