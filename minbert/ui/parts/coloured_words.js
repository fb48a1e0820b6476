() => {
    const wordsIn = place => [...place.querySelectorAll('.mb-word')];
    const wordAt = event => event.target.closest && event.target.closest('.mb-word');
    const paint = (word, share) => {
        word.style.setProperty('--s', Math.abs(share));
        word.classList.toggle('mb-less', share < 0);
    };
    const rest = view => {
        wordsIn(view).forEach(word => {
            paint(word, Number(word.dataset.own));
            word.classList.remove('mb-here');
        });
        const readout = view.querySelector('.mb-readout');
        readout.textContent = readout.dataset.hint;
    };
    const show = word => {
        const view = word.closest('.mb-colour');
        rest(view);
        const sentence = word.parentElement, at = wordsIn(sentence).indexOf(word);
        [...view.querySelectorAll('.mb-sentence')]
            .filter(one => one.dataset.of === sentence.dataset.of)
            .map(one => wordsIn(one)[at]).forEach(one => one && one.classList.add('mb-here'));
        view.querySelector('.mb-readout').textContent = word.getAttribute('aria-label');
        if (!view.classList.contains('mb-alike')) return;
        const [first, second] = [...view.querySelectorAll('.mb-sentence')].map(wordsIn);
        const shares = one => one.dataset.with.split(',').map(share => share / 1000);
        const place = second.indexOf(word);
        if (place < 0) shares(word).forEach((share, other) => paint(second[other], share));
        else first.forEach(one => paint(one, shares(one)[place]));
    };
    const settle = view => {
        const focused = view.querySelector('.mb-word:focus');
        if (focused) show(focused);
        else rest(view);
    };
    const leave = event => {
        const view = event.target.closest && event.target.closest('.mb-colour');
        if (view && !(event.relatedTarget && view.contains(event.relatedTarget))) settle(view);
    };
    document.addEventListener('pointerover', event => {
        const word = wordAt(event);
        if (word) show(word);
    });
    document.addEventListener('pointerout', leave);
    document.addEventListener('focusout', leave);
    document.addEventListener('focusin', event => {
        const word = wordAt(event);
        if (!word) return;
        wordsIn(word.parentElement).forEach(one => {
            one.tabIndex = one === word ? 0 : -1;
            one.setAttribute('aria-selected', one === word);
        });
        show(word);
    });
    document.addEventListener('click', event => {
        const word = wordAt(event);
        if (word) word.focus();
    });
    document.addEventListener('keydown', event => {
        const word = wordAt(event);
        if (!word || event.altKey || event.ctrlKey || event.metaKey) return;
        const words = wordsIn(word.parentElement), place = words.indexOf(word);
        const step = getComputedStyle(word.parentElement).direction === 'rtl' ? -1 : 1;
        const to = {ArrowRight: place + step, ArrowLeft: place - step,
            Home: 0, End: words.length - 1}[event.key];
        if (to === undefined) return;
        event.preventDefault();
        if (words[to]) words[to].focus();
    });
}
