/**
 * The data of each event of a `text/event-stream`, as it comes; what else the stream holds (names of events, comments) is passed over,
 * and an event that is cut off at the end is left out. Time is linear in the length of the stream.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export async function* eventData(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let line = '';
  let data: string[] = [];
  for await (const bytes of body) {
    const [first = '', ...others] = decoder.decode(bytes, { stream: true }).split('\n');
    line += first;
    for (const next of others) {
      const whole = line.endsWith('\r') ? line.slice(0, -1) : line;
      line = next;
      if (whole.startsWith('data:')) data.push(whole.slice(whole[5] === ' ' ? 6 : 5));
      else if (whole === '' && data.length > 0) {
        yield data.join('\n');
        data = [];
      }
    }
  }
}
