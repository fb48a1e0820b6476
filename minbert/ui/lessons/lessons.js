open => {
    // All of a lesson stands in its button. The current one is that whose sentences stand in the
    // boxes, however they came there.
    const chips = () => [...document.querySelectorAll('#lessons button[data-lesson]')];
    const chipOf = id => chips().find(chip => chip.dataset.lesson === id);
    const textsOf = chip => [chip.dataset.first, chip.dataset.second];
    let chosen = chips()[0].dataset.lesson;
    let notice = '';

    const mark = (...texts) => {
        const typed = texts.map(text => (text || '').trim());
        const holds = chip => textsOf(chip).every((text, place) => text === typed[place]);
        const current = [chipOf(chosen), ...chips()].find(holds);
        const line = document.getElementById('lesson-see');
        const link = document.getElementById('lesson-link');
        chips().forEach(chip => chip.removeAttribute('aria-current'));
        link.hidden = !current;
        if (current) {
            chosen = current.dataset.lesson;
            current.setAttribute('aria-current', 'true');
            current.closest('ul').scrollLeft = current.offsetLeft - 16;
            link.href = '#lesson=' + chosen;
        }
        const told = notice || (current ? current.dataset.see : '');
        if (line.textContent !== told) line.textContent = told;  // so that it is read aloud once
    };
    // What a link names: a lesson's sentences and view; null, with a notice, if there is none.
    const named = id => {
        const chip = chipOf(id);
        notice = chip || id === null ? '' : `There is no lesson “${id}”. Choose one of these.`;
        if (!chip) return null;
        chosen = id;
        return {texts: textsOf(chip), view: chip.dataset.view};
    };
    const choose = id => {
        const lesson = named(id);
        const boxes = document.querySelectorAll('#first textarea, #second textarea');
        mark(...(lesson ? lesson.texts : [...boxes].map(box => box.value)));
        if (!lesson) return;
        document.getElementById('lesson-chosen').click();
        open(lesson.view);
    };
    const step = by => {
        const all = chips(), place = all.indexOf(chipOf(chosen)) + by;
        choose(all[(place + all.length) % all.length].dataset.lesson);
    };

    document.addEventListener('click', event => {
        const button = event.target.closest('#lessons button');
        if (!button) return;
        if (button.dataset.step) step(Number(button.dataset.step));
        else choose(button.dataset.lesson);
    });
    document.addEventListener('input', () => { notice = ''; });
    addEventListener('hashchange', () => {
        const id = new URLSearchParams(location.hash.slice(1)).get('lesson'), chip = chipOf(id);
        if (id !== null && !(chip && chip.hasAttribute('aria-current'))) choose(id);
    });
    window.minbertLessons = {mark, texts: () => textsOf(chipOf(chosen))};
    return {mark, named};
}
