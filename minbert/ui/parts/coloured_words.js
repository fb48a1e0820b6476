() => {
    // Coloured words: the one pointed at is marked in each line of its sentence; its partners are tinted.
    const wordsIn = place => [...place.querySelectorAll('.mb-word')];
    const paint = (word, share) => {
        word.style.setProperty('--s', Math.abs(share));
        word.classList.toggle('mb-less', share < 0);
    };
    document.addEventListener('mb-rest', ({target}) => wordsIn(target).forEach(word => {
        paint(word, Number(word.dataset.own));
        word.classList.remove('mb-here');
    }));
    document.addEventListener('mb-point', ({target: word}) => {
        const view = word.closest('.mb-colour');
        if (!view) return;
        const sentence = word.parentElement, at = wordsIn(sentence).indexOf(word);
        [...view.querySelectorAll('.mb-sentence')]
            .filter(one => one.dataset.of === sentence.dataset.of)
            .map(one => wordsIn(one)[at]).forEach(one => one && one.classList.add('mb-here'));
        if (!view.classList.contains('mb-alike')) return;
        const [first, second] = [...view.querySelectorAll('.mb-sentence')].map(wordsIn);
        const shares = one => one.dataset.with.split(',').map(share => share / 1000);
        const place = second.indexOf(word);
        if (place < 0) shares(word).forEach((share, other) => paint(second[other], share));
        else first.forEach(one => paint(one, shares(one)[place]));
    });
}
