import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { startServer } from './server.ts';

// Entry of the language server's process: `--stdio`, `--node-ipc` or `--socket=…` choose how it is talked to.
startServer(createConnection(ProposedFeatures.all));
