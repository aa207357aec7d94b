// The page is whole without this: it adds copying and filtering, and folds what is long.
(() => {
  'use strict';
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const byId = id => document.getElementById(id);

  const folded = all('details[data-fold]');
  folded.forEach(details => { details.open = false; });

  // Everything is printed; what was folded before is folded again after.
  let closed = [];
  addEventListener('beforeprint', () => {
    closed = all('details:not([open])');
    closed.forEach(details => { details.open = true; });
  });
  addEventListener('afterprint', () => closed.forEach(details => { details.open = false; }));

  const say = text => {
    byId('said').textContent = '';
    setTimeout(() => { byId('said').textContent = text; }, 50);
  };

  // Where a page may not write to the clipboard by itself, the selection is copied.
  const copySelection = element => {
    const selection = getSelection();
    selection.selectAllChildren(element);
    const done = document.execCommand('copy');
    selection.removeAllRanges();
    return done;
  };
  const copy = async element => {
    try {
      await navigator.clipboard.writeText(element.textContent);
      return true;
    } catch {
      return copySelection(element);
    }
  };
  all('pre[data-copy]').forEach(pre => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy';
    button.textContent = 'Copy';
    button.setAttribute('aria-label', 'Copy ' + pre.textContent.slice(0, 60));
    button.addEventListener('click', async () => {
      const done = await copy(pre);
      button.textContent = done ? 'Copied' : 'Not copied';
      say(done ? 'Copied ' + pre.textContent.slice(0, 60) : 'Not copied: select the command and copy it');
      setTimeout(() => { button.textContent = 'Copy'; }, 2000);
    });
    pre.after(button);
  });

  const bar = byId('filter');
  if (!bar) return;
  bar.hidden = false;
  const boxes = all('input[type=checkbox]', bar), words = byId('words'), open = byId('open');
  const checks = all('details.check').map(details => ({
    details,
    about: details.querySelector('summary').textContent.toLowerCase(),
    rows: all('.finding', details).map(row => ({ row, text: row.textContent.toLowerCase() })),
  }));
  const total = checks.reduce((n, check) => n + check.rows.length, 0);

  const filter = () => {
    const states = new Set(boxes.filter(box => box.checked).map(box => box.value));
    const wanted = words.value.trim().toLowerCase();
    let shown = 0;
    for (const check of checks) {
      let here = 0;
      for (const { row, text } of check.rows) {
        const show = states.has(row.dataset.state) && (check.about.includes(wanted) || text.includes(wanted));
        row.classList.toggle('off', !show);
        if (show) here++;
      }
      check.details.classList.toggle('off', here === 0);
      shown += here;
    }
    all('.group').forEach(group => group.classList.toggle('off', !group.querySelector('.check:not(.off)')));
    byId('shown').textContent = shown.toLocaleString('en') + ' of ' + total.toLocaleString('en') + ' findings';
    return shown < total;
  };
  const change = () => {
    if (filter()) checks.forEach(check => { check.details.open = true; });
  };
  boxes.forEach(box => box.addEventListener('change', change));
  words.addEventListener('input', change);
  open.addEventListener('click', () => {
    const opening = open.textContent === 'Open all';
    checks.forEach(check => { check.details.open = opening; });
    open.textContent = opening ? 'Close all' : 'Open all';
  });
  filter();

  // A link leads to what is folded or filtered out, too.
  const reveal = () => {
    const target = location.hash && byId(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.closest('.off')) {
      boxes.forEach(box => { box.checked = true; });
      words.value = '';
      filter();
    }
    for (let at = target; at; at = at.parentElement) if (at.tagName === 'DETAILS') at.open = true;
    target.scrollIntoView();
  };
  addEventListener('hashchange', reveal);
  reveal();
})();
