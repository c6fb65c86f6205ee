// What we use of the package, as a bundle of its own (see scripts/build.mjs): it is loaded by `espalier mcp` and not before.
// The high-level class checks input itself, and refuses without our codes.
// eslint-disable-next-line @typescript-eslint/no-deprecated
export { Server } from '@modelcontextprotocol/sdk/server/index.js';
export { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
export { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
