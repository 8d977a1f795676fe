// Elements from calls, and new ones folded into old ones so that focus, open details and scroll stay where they are.
// Text is always a text node: whatever a tag is called, it is shown and never run.
const SVG = 'http://www.w3.org/2000/svg';

function make(element, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) on(element, name.slice(2), value);
    else if (name === 'key') element.key = String(value);
    else if (name === 'value') {
      element.value = value;
      element.setAttribute('value', value);
    } else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** One listener per kind of event, which asks for the handler when it fires: so a handler can be exchanged. */
function on(element, type, handler) {
  element.handlers = element.handlers || {};
  element.handlers[type] = handler;
  listen(element, type);
}

function listen(element, type) {
  element.listening = element.listening || new Set();
  if (element.listening.has(type)) return;
  element.listening.add(type);
  element.addEventListener(type, event => element.handlers && element.handlers[type] && element.handlers[type](event));
}

export const h = (name, props, ...children) => make(document.createElement(name), props, children);
export const s = (name, props, ...children) => make(document.createElementNS(SVG, name), props, children);

/** Makes the children of `parent` be like these. */
export function show(parent, ...children) {
  const wanted = document.createElement('div');
  append(wanted, children);
  fold(parent, wanted);
}

function fold(old, now) {
  const keyed = new Map();
  for (const child of old.childNodes) if (child.key) keyed.set(child.key, child);
  let place = old.firstChild;
  for (const wanted of [...now.childNodes]) {
    let match = wanted.key ? keyed.get(wanted.key) : place;
    while (!wanted.key && match && match.key) match = match.nextSibling;
    if (match && alike(match, wanted)) {
      if (match !== place) old.insertBefore(match, place);
      else place = place.nextSibling;
      become(match, wanted);
    } else {
      old.insertBefore(wanted, place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function alike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && one.key === other.key;
}

function become(old, now) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== now.data) old.data = now.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!now.hasAttribute(name) && !(name === 'open' && old.nodeName === 'DETAILS')) old.removeAttribute(name);
  }
  for (const { name, value } of now.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if ('value' in now && now.hasAttribute('value') && old !== document.activeElement && old.value !== now.value)
    old.value = now.value;
  old.handlers = now.handlers;
  for (const type of Object.keys(now.handlers || {})) listen(old, type);
  if (old.hasAttribute('data-own')) return;
  const chosen = now.nodeName === 'SELECT' ? now.value : null;
  fold(old, now);
  if (chosen !== null && old !== document.activeElement && old.value !== chosen) old.value = chosen;
}
