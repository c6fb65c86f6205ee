import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** Sends to nobody: what is transferred to it is freed there and then. */
let nowhere: MessagePort | undefined;

/**
 * Frees the memory of an array that nobody will read again, and leaves it empty. The garbage collector would find it only when many such have
 * gathered: their elements lie outside of its heap.
 */
export function freeBuffer({ buffer }: ArrayBufferView): void {
  // One that is empty has been freed.
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength === 0) return;
  nowhere ??= openNowhere();
  nowhere.postMessage(null, [buffer]);
}

function openNowhere(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return port1;
}
