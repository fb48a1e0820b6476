() => {
    // Lines between words: pointing at a word leaves its lines and tells their numbers.
    const wordAt = event => event.target.closest && event.target.closest('.mb-line-word');
    const wordsIn = place => [...place.querySelectorAll('.mb-line-word')];
    const rest = view => {
        view.classList.remove('mb-pointed');
        view.querySelectorAll('.mb-on').forEach(one => one.classList.remove('mb-on'));
        wordsIn(view).forEach(word => {
            word.style.removeProperty('--w');
            word.lastElementChild.textContent = '';
        });
    };
    const show = word => {
        const view = word.closest('.mb-lines'), side = word.parentElement;
        rest(view);
        const place = wordsIn(side).indexOf(word);
        const [other] = [...view.querySelectorAll('.mb-line-words')].filter(one => one !== side);
        const end = side.classList.contains('mb-line-looks') ? 'row' : 'column';
        view.classList.add('mb-pointed');
        view.querySelectorAll(`line[data-${end}="${place}"]`)
            .forEach(line => line.classList.add('mb-on'));
        word.classList.add('mb-on');
        const shares = word.dataset.shares.split(',').map(Number);
        wordsIn(other).forEach((one, at) => {
            one.style.setProperty('--w', shares[at] / 1000);
            const few = shares[at] > 0 && shares[at] < 5;
            one.lastElementChild.textContent = few ? '< 1 %' : `${Math.round(shares[at] / 10)} %`;
        });
    };
    const leave = event => {
        const view = event.target.closest && event.target.closest('.mb-lines');
        if (!view || (event.relatedTarget && view.contains(event.relatedTarget))) return;
        const focused = view.querySelector('.mb-line-word:focus');
        if (focused) show(focused);
        else rest(view);
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
        if (word) word.focus({preventScroll: true});
    });
    document.addEventListener('keydown', event => {
        const word = wordAt(event);
        if (!word || event.altKey || event.ctrlKey || event.metaKey) return;
        const words = wordsIn(word.parentElement), place = words.indexOf(word);
        const to = {ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: words.length - 1}[
            event.key];
        if (to === undefined) return;
        event.preventDefault();
        if (words[to]) words[to].focus();
    });
}
