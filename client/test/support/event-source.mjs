/** As much of EventSource as the HTML standard has a browser do, over fetch; Node 20 has none. */
export class StreamingEventSource extends EventTarget {
  static opened = [];
  static retryMs = 20;
  readyState = 0;
  #lastEventId = '';
  #abort;
  #timer;

  constructor(url) {
    super();
    this.url = url;
    StreamingEventSource.opened.push(this);
    this.#connect();
  }

  close() {
    this.readyState = 2;
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  async #connect() {
    this.#abort = new AbortController();
    const headers = {
      accept: 'text/event-stream',
      ...(this.#lastEventId === '' ? {} : { 'last-event-id': this.#lastEventId }),
    };
    let response;
    try {
      response = await fetch(this.url, { headers, signal: this.#abort.signal });
    } catch {
      this.#again();
      return;
    }
    if (this.readyState === 2) {
      return;
    }
    if (response.status !== 200 || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
      this.readyState = 2;
      this.dispatchEvent(new Event('error'));
      this.#abort.abort();
      return;
    }
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
    try {
      await this.#read(response.body);
    } catch {
      // the connection broke
    }
    this.#again();
  }

  #again() {
    if (this.readyState !== 2) {
      this.readyState = 0;
      this.dispatchEvent(new Event('error'));
    }
    if (this.readyState !== 2) {
      this.#timer = setTimeout(() => this.#connect(), StreamingEventSource.retryMs);
    }
  }

  async #read(stream) {
    let text = '';
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      text += part;
      const blocks = text.split('\n\n');
      text = blocks.pop();
      blocks.forEach(block => this.#dispatch(block));
    }
  }

  #dispatch(block) {
    const fields = block
      .split('\n')
      .filter(line => !line.startsWith(':'))
      .map(line => /^([^:]*):? ?(.*)$/s.exec(line).slice(1));
    const values = name => fields.filter(([field]) => field === name).map(([, value]) => value);
    this.#lastEventId = values('id').at(-1) ?? this.#lastEventId;
    if (values('data').length > 0 && this.readyState === 1) {
      this.dispatchEvent(
        new MessageEvent(values('event').at(-1) ?? 'message', {
          data: values('data').join('\n'),
          lastEventId: this.#lastEventId,
        }),
      );
    }
  }
}
