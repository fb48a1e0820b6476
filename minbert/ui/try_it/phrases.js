() => {
    document.addEventListener('click', event => {
        const cell = event.target.closest && event.target.closest('.mb-phrase');
        const box = cell && document.querySelector('#first textarea, #first input');
        if (!box) return;
        box.value = cell.dataset.text;
        box.dispatchEvent(new Event('input', {bubbles: true}));
        if (event.detail === 0) box.focus();  // by the keyboard, whose cell is about to go
        setTimeout(() => document.getElementById('answer')?.click(), 60);  // the box's new text is known
    });
}
