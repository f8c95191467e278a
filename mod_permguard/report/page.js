// SPDX-License-Identifier: Apache-2.0
// Enhancement only: the page says everything without it.
(() => {
  'use strict';
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  for (const element of all('[data-enhance]')) element.hidden = false;

  async function toClipboard(text) {
    // The clipboard API exists only in secure contexts; status pages are often plain http.
    if (navigator.clipboard) {
      try { return await navigator.clipboard.writeText(text); } catch { /* the old way */ }
    }
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    if (!done) throw new Error('not copied');
  }

  document.addEventListener('click', async (event) => {
    const button = event.target.closest('button[data-copy]');
    if (!button) return;
    let word = 'Copied';
    try { await toClipboard(button.dataset.copy); } catch { word = 'Not copied'; }
    button.focus();
    button.textContent = word;
    document.getElementById('said').textContent = word;
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });

  // One incident needs neither filter nor order.
  const list = document.getElementById('open-list');
  const filter = document.getElementById('filter');
  if (!list || !filter) return;
  const cases = all('.case', list);
  const texts = cases.map((each) => each.textContent.toLowerCase());
  const shown = document.getElementById('shown');
  const kept = `permguard-filter ${location.pathname}`;

  function applyFilter() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    cases.forEach((each, at) => {
      each.hidden = !words.every((word) => texts[at].includes(word));
      if (!each.hidden) count += 1;
    });
    shown.textContent = words.length ? `${count} of ${cases.length} shown` : '';
    // Kept in the address for people who pass it on, and in the tab: a page that refreshes itself
    // comes back under the address it had at first.
    const hash = filter.value ? `#filter=${encodeURIComponent(filter.value)}` : '';
    history.replaceState(null, '', location.pathname + location.search + hash);
    try { sessionStorage.setItem(kept, filter.value); } catch { /* storage is switched off */ }
  }

  function keptFilter() {
    const hash = /^#filter=(.+)$/.exec(location.hash);
    try {
      return hash ? decodeURIComponent(hash[1]) : sessionStorage.getItem(kept) ?? '';
    } catch {
      return '';
    }
  }

  const number = (name) => (a, b) => Number(b.dataset[name]) - Number(a.dataset[name]);
  const orders = {
    worst: number('rank'),
    last: number('last'),
    first: number('first'),
    count: number('count'),
    path: (a, b) => (a.dataset.path < b.dataset.path ? -1 : 1),
  };

  filter.addEventListener('input', applyFilter);
  document.getElementById('order').addEventListener('change', (event) => {
    list.append(...cases.slice().sort(orders[event.target.value]));
  });
  document.getElementById('unfold').addEventListener('click', () => {
    const open = cases.some((each) => !each.hidden && !each.open);
    for (const each of cases) if (!each.hidden) each.open = open;
  });

  filter.value = keptFilter();
  if (filter.value) applyFilter();
})();
