// The page's own script. Texts of descriptions are set as text, never as HTML: they are somebody else's. ATTACKS 51, 57.

const base = document.currentScript.dataset.base;
const select = document.getElementById("select");
const root = document.getElementById("portal");

/** Beyond this, an API is a list to choose from, and one operation at a time is shown: whole, it would take minutes. */
const MANY_OPERATIONS = 100;

/** @param tag with a class, as `div.row` */
function make(tag, text, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  element.className = classes.join(" ");
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

function show(domNode, url, options) {
  return SwaggerUIBundle({
    url,
    domNode,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    oauth2RedirectUrl: `${location.origin}${base}/assets/oauth2-redirect.html`,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    ...options,
  });
}

async function open(api) {
  root.replaceChildren();
  document.title = `${api.name} · Portico`;
  if (api.operations <= MANY_OPERATIONS) {
    const node = make("div");
    root.append(node);
    show(node, api.url, { deepLinking: true, docExpansion: "list" });
    return;
  }
  const list = await (await fetch(`${api.url}/operations`)).json();
  browse(api, list);
}

/** A large API: every operation in a list that can be searched, one of them shown. */
function browse(api, operations) {
  const shown = make("div.shown");
  const filter = make("input.filter");
  filter.type = "search";
  filter.placeholder = `Search ${operations.length} operations`;
  filter.setAttribute("aria-label", filter.placeholder);
  const rows = operations.map((operation) => toRow(operation));
  const groups = new Map();
  for (const { element, operation } of rows) {
    let group = groups.get(operation.tag);
    if (group === undefined) {
      group = make("details.group", undefined, make("summary", operation.tag));
      groups.set(operation.tag, group);
    }
    group.append(element);
  }
  const nav = make("nav.operations", undefined, filter, ...groups.values());
  nav.setAttribute("aria-label", "Operations");
  root.append(make("div.browser", undefined, nav, shown));
  filter.addEventListener("input", () => search(filter.value, rows, groups));
  let ui;
  const choose = (row) => {
    for (const { element } of rows) element.removeAttribute("aria-current");
    row.element.setAttribute("aria-current", "true");
    row.element.parentElement.open = true;
    history.replaceState(null, "", `#${encodeURIComponent(row.operation.id)}`);
    const url = `${api.url}/operations/${row.operation.index}`;
    if (ui === undefined) {
      const node = make("div");
      shown.replaceChildren(node);
      ui = show(node, url, { docExpansion: "full", defaultModelsExpandDepth: -1 });
    } else {
      // The same page goes on: whom somebody has said to be, they still are.
      ui.specActions.updateUrl(url);
      ui.specActions.download(url);
    }
    window.scrollTo(0, 0);
  };
  for (const row of rows) row.element.addEventListener("click", () => choose(row));
  const wanted = decodeURIComponent(location.hash.slice(1));
  const first = rows.find(({ operation }) => operation.id === wanted);
  if (first !== undefined) choose(first);
  else shown.append(make("p.hint", `${api.name}: choose one of ${operations.length} operations, or search for it.`));
}

function toRow(operation) {
  const { method, path, summary, isDeprecated } = operation;
  const verb = make(`span.verb.${/^[A-Z]+$/.test(method) ? method.toLowerCase() : "other"}`, method);
  const texts = make("span.texts", undefined, make("span.path", path), make("span.summary", summary));
  const element = make(isDeprecated ? "button.row.deprecated" : "button.row", undefined, verb, texts);
  element.type = "button";
  return { element, operation, text: `${method} ${path} ${summary} ${operation.id}`.toLowerCase() };
}

/** Shows the rows that have every word. */
function search(text, rows, groups) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of rows) row.element.hidden = !words.every((word) => row.text.includes(word));
  for (const group of groups.values()) {
    const found = [...group.querySelectorAll(".row")].some((element) => !element.hidden);
    group.hidden = !found;
    group.open = found && words.length > 0;
  }
}

async function start() {
  const apis = await (await fetch(`${base}/apis.json`)).json();
  for (const [i, { name }] of apis.entries()) {
    const option = make("option", name);
    option.value = String(i);
    select.append(option);
  }
  if (apis.length === 0) {
    root.append(make("p.hint", "There is no API yet: write a route file, and reload."));
    return;
  }
  const wanted = new URLSearchParams(location.search).get("urls.primaryName");
  const first = Math.max(
    0,
    apis.findIndex(({ name }) => name === wanted),
  );
  select.value = String(first);
  // A new page: what Swagger UI remembers of one API would show in the next.
  select.addEventListener("change", () => {
    location.assign(`?${new URLSearchParams({ "urls.primaryName": apis[Number(select.value)].name })}`);
  });
  await open(apis[first]);
}

void start();
