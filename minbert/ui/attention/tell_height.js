addEventListener('message', event => {
    if (event.source !== parent || !event.data || !('dark' in event.data)) return;
    document.documentElement.classList.toggle('dark', event.data.dark === true);
});
const told = document.getElementById('whole');
const tell = () => parent.postMessage({frameHeight: Math.ceil(told.scrollHeight) + 32}, '*');
new ResizeObserver(tell).observe(told);
tell();
