// Drives the page for the tests, and leaves what it saw in a template.
addEventListener('load', async () => {
  const all = selector => [...document.querySelectorAll(selector)];
  const soon = () => new Promise(done => setTimeout(done, 200));
  const answer = {};
  const visible = selector => all(selector).filter(e => e.offsetParent !== null && e.checkVisibility()).length;
  const boxes = all('#filter input[type=checkbox]');
  const words = document.getElementById('words');

  answer.Folded = all('details:not([open])').length;
  dispatchEvent(new Event('beforeprint'));
  answer.Unfolded = all('details:not([open])').length;
  dispatchEvent(new Event('afterprint'));
  answer.FoldedAgain = all('details:not([open])').length;

  answer.States = {};
  for (const only of boxes) {
    for (const box of boxes) if (box.checked !== (box === only)) box.click();
    answer.States[only.value] = visible('.finding');
  }
  for (const box of boxes) if (!box.checked) box.click();
  const search = text => { words.value = text; words.dispatchEvent(new Event('input')); };
  search('  RUNNER_uuid IS');
  answer.Words = visible('.finding');
  answer.Groups = visible('.group');
  answer.Shown = document.getElementById('shown').textContent;

  // A link leads to what is filtered out and folded.
  const target = all('.finding[id]').find(row => row.offsetParent === null);
  target.closest('details').open = false;
  location.hash = '#' + target.id;
  await soon();
  answer.Revealed = target.offsetParent !== null && target.closest('details').open ? 1 : 0;
  search('');
  all('details.check').forEach(details => { details.open = true; });
  answer.All = visible('.finding');

  const button = document.querySelector('.copy');
  answer.Name = button.getAttribute('aria-label');
  const clipboard = writeText => Object.defineProperty(navigator, 'clipboard', { value: { writeText }, configurable: true });
  clipboard(async text => { answer.Copied = text; });
  button.click();
  await soon();
  answer.Said = document.getElementById('said').textContent;
  clipboard(async () => { throw new Error('not allowed'); });
  document.execCommand = () => { answer.Fallback = String(getSelection()); return true; };
  button.click();
  await soon();
  document.execCommand = () => false;
  button.click();
  await soon();
  answer.SaidNot = document.getElementById('said').textContent;

  answer.Focusable = all('a[href], button, input, summary').filter(e => {
    e.focus();
    return document.activeElement === e && getComputedStyle(e).outlineStyle !== 'none';
  }).length;

  const left = document.createElement('template');
  left.id = 'answer';
  left.content.append(JSON.stringify(answer));
  document.body.append(left);
});
