/**
 * What a worker of a queue is started with, on any machine.
 *
 * @param address without a password: command lines can be read by others
 */
export function workerCommand(address: string): string {
  return `espalier worker --queue ${/^[\w:/.@%+-]+$/.test(address) ? address : quoted(address)}`;
}

/** As shells of POSIX take it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
