() => {
    // Lines between words: pointing at a word leaves its lines and tells their numbers.
    const wordsIn = place => [...place.querySelectorAll('.mb-line-word')];
    document.addEventListener('mb-rest', ({target}) => {
        target.classList.remove('mb-pointed');
        target.querySelectorAll('.mb-on').forEach(one => one.classList.remove('mb-on'));
        wordsIn(target).forEach(word => {
            word.style.removeProperty('--w');
            word.lastElementChild.textContent = '';
        });
    });
    document.addEventListener('mb-point', ({target: word}) => {
        const view = word.closest('.mb-lines'), side = word.parentElement;
        if (!view) return;
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
    });
}
