(first, second) => {
    const chips = () => [...document.querySelectorAll('#lessons button[data-lesson]')];
    const lessonOf = id => chips().find(chip => chip.dataset.lesson === id);
    const textsOf = chip => [chip.dataset.first, chip.dataset.second];
    const kept = () => new URLSearchParams(location.hash.slice(1));
    let chosen = chips().length ? chips()[0].dataset.lesson : '';
    let notice = '';

    // A tab by its id or its name; on a narrow page gradio keeps those without room in a menu.
    const tabButton = key => {
        const known = window.gradio_config.components.find(one =>
            one.type === 'tabitem' && [one.props.id, one.props.label].includes(key));
        if (!known) return null;
        const {id, label} = known.props;
        return document.querySelector(`button[role="tab"][data-tab-id="${CSS.escape(id)}"]`)
            || [...document.querySelectorAll('.overflow-dropdown button')]
                .find(button => button.textContent.trim() === label);
    };
    // A tab's views are there once it is open, so they are looked for during three seconds; of a
    // view that isn't there the tab stays open.
    const openPlace = (tab, view, times = 30) => {
        const found = tabButton(tab);
        if (found) found.click();
        const left = found ? [view, ''] : [tab, view];
        if (left[0] && times) setTimeout(openPlace, 100, ...left, times - 1);
    };
    // The current lesson is the one whose sentences stand in the boxes.
    const mark = (...boxes) => {
        const typed = boxes.map(text => (text || '').trim());
        const is = chip => chip && textsOf(chip).every((text, place) => text === typed[place]);
        const current = [lessonOf(chosen), ...chips()].find(is);
        chips().forEach(chip => chip.removeAttribute('aria-current'));
        document.getElementById('lesson-link').hidden = !current;
        if (current) {
            chosen = current.dataset.lesson;
            current.setAttribute('aria-current', 'true');
            current.closest('ul').scrollLeft = current.offsetLeft - 16;
            document.getElementById('lesson-link').href = '#lesson=' + chosen;
        }
        const told = document.getElementById('lesson-see');
        const line = notice || (current ? current.dataset.see : '');
        if (told.textContent !== line) told.textContent = line;  // read aloud once
    };
    const boxes = () => ['first', 'second'].map(id =>
        document.querySelector(`#${id} textarea`).value);
    const missing = id => `There is no lesson “${id}”. Choose one of these.`;
    const choose = id => {
        const chip = lessonOf(id);
        notice = chip ? '' : missing(id);
        if (!chip) return mark(...boxes());
        chosen = id;
        mark(...textsOf(chip));
        document.getElementById('lesson-chosen').click();
        openPlace(chip.dataset.tab, chip.dataset.view);
    };
    const step = by => {
        const all = chips(), place = all.indexOf(lessonOf(chosen)) + by;
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
        const id = kept().get('lesson'), chip = lessonOf(id);
        if (id !== null && !(chip && chip.hasAttribute('aria-current'))) choose(id);
    });
    window.minbertLessons = {mark, texts: () => textsOf(lessonOf(chosen))};

    const link = kept(), id = link.get('lesson'), chip = lessonOf(id);
    if (chip) chosen = id;
    else if (id !== null) notice = missing(id);
    const place = link.has('tab') ? [link.get('tab'), ''] : chip ? [chip.dataset.tab, chip.dataset.view] : [];
    if (place.length) setTimeout(openPlace, 300, ...place);
    const texts = link.has('a') ? [link.get('a'), link.get('b') || '']
        : chip ? textsOf(chip) : [first, second];
    mark(...texts);
    return texts;
}
