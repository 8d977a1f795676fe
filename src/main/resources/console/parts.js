// What several views are made of.
import { h } from './dom.js';

export const count = n => (n === null || n === undefined ? '–' : Number(n).toLocaleString('en'));
export const href = (view, params = {}) => {
  const query = new URLSearchParams({ view });
  for (const [name, value] of Object.entries(params))
    if (value !== null && value !== undefined && value !== '') query.set(name, value);
  return '/admin/info?' + query;
};

/** How many tokens wait, as far as they were counted. */
export const tokens = fences => count(fences.waiting) + (fences.capped ? '+' : '');

/** A tag is a link to its life. */
export const tagLink = tag => h('a', { class: 'tag', href: href('audit', { tag }) }, tag);

export const badge = (kind, text) => h('span', { class: `badge ${kind}` }, text);

export const empty = (what, hint) =>
  h('div', { class: 'empty' }, h('p', {}, what), hint ? h('p', { class: 'dim' }, hint) : null);

export const failed = (what, again) =>
  h(
    'div',
    { class: 'empty wrong', role: 'alert' },
    h('p', {}, what),
    again ? h('button', { type: 'button', onclick: again }, 'Try again') : null,
  );

export const loading = () => h('p', { class: 'dim', 'aria-busy': 'true' }, 'Loading …');

/** Rows with a heading for each column, which a phone shows beside each value. */
export function table(caption, columns, rows, keyOf) {
  return h(
    'table',
    { class: 'rows' },
    h('caption', { class: 'unseen' }, caption),
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        columns.map(c => h('th', { scope: 'col', class: c.class }, c.name)),
      ),
    ),
    h(
      'tbody',
      {},
      rows.map(row =>
        h(
          'tr',
          { key: keyOf(row), class: columns.rowClass && columns.rowClass(row) },
          columns.map(c => h('td', { class: c.class, 'data-name': c.name }, h('div', {}, c.of(row)))),
        ),
      ),
    ),
  );
}

/** What stands in the fields of a form, applied or not. */
export const fieldsOf = form =>
  Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]));

/**
 * A form whose fields are the view's parameters: what is filtered can be sent to somebody. A field's `typed` is told
 * all fields while somebody types, and whether that has ended.
 */
export function filters(fields, params, go, ...more) {
  const submit = event => {
    event.preventDefault();
    go(fieldsOf(event.target.closest('form')));
  };
  const tell = (field, ended) => field.typed && (event => field.typed(fieldsOf(event.target.closest('form')), ended));
  return h(
    'form',
    { class: 'filters', role: 'search', onsubmit: submit },
    fields.map(field =>
      h(
        'label',
        { class: field.wide ? 'wide' : null },
        h('span', {}, field.label),
        field.options
          ? h(
              'select',
              { name: field.name, onchange: submit },
              field.options.map(([value, text]) =>
                h('option', { value, selected: value === (params[field.name] || '') }, text),
              ),
            )
          : h('input', {
              name: field.name,
              value: params[field.name] || '',
              placeholder: field.hint || '',
              autocomplete: 'off',
              spellcheck: 'false',
              type: 'search',
              ...(field.typed ? { oninput: tell(field, false), onchange: tell(field, true) } : {}),
            }),
      ),
    ),
    h('button', { type: 'submit' }, 'Search'),
    more,
  );
}

/** Asks before something that cannot be taken back; resolves to whether it is wanted. */
export function confirmed(question, detail, yes) {
  return new Promise(resolve => {
    const before = document.activeElement;
    const end = answer => {
      dialog.close();
      dialog.remove();
      if (before && before.isConnected) before.focus();
      resolve(answer);
    };
    const dialog = h(
      'dialog',
      {
        'aria-labelledby': 'asked',
        oncancel: event => {
          event.preventDefault();
          end(false);
        },
      },
      h('h2', { id: 'asked' }, question),
      h('p', {}, detail),
      h(
        'div',
        { class: 'buttons' },
        h('button', { type: 'button', class: 'strong', onclick: () => end(true) }, yes),
        h('button', { type: 'button', onclick: () => end(false) }, 'Leave it'),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * A button that does something, says so, and is off while it does. `ask` is what is asked first, or finds that out;
 * without a question nothing is done.
 */
export function act(ctx, text, what, options = {}) {
  const run = async event => {
    const button = event.currentTarget || event.target;
    if (options.ask) {
      const question = typeof options.ask === 'function' ? await options.ask() : options.ask;
      if (!question || !(await confirmed(...question))) return;
    }
    button.setAttribute('aria-busy', 'true');
    const answer = await what();
    button.removeAttribute('aria-busy');
    ctx.say(answer.ok ? options.done(answer.data) : answer.error, answer.ok ? 'good' : 'bad');
    if (answer.status === 403) ctx.mayNotChange();
    if (options.then) options.then(answer);
  };
  return h(
    'button',
    {
      type: 'button',
      class: options.class,
      disabled: !ctx.mayChange,
      title: ctx.mayChange ? options.title : 'This key is read-only',
      onclick: run,
      'aria-label': options.label,
    },
    text,
  );
}
