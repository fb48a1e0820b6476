// As you read, of what is typed: one curve of the model that is here, after minbert/ui/try_it/reading.py.
"use strict";
const makeLiveReading = (data, fillTable) => { // data: minbert/ui/static/live.py
  const { most, fewest, tokens, turn, longest } = data.reading, { percent } = liveNumbers;
  const byId = (id) => document.getElementById(`live-${id}`);
  const quantities = { reading: ["A", "rating", 4], "reading-pair": ["B", "similarity", 5] };

  const mostRead = (size) => Math.min(most, Math.max(fewest, Math.floor(tokens / size)));
  const bare = (word) => word.replace(/^[.,;:!?"\u201c\u201d\u201e'()[\]\u2026]+|[.,;:!?"\u201c\u201d\u201e'()[\]\u2026]+$/g, "") || word;
  const plain = (text, size) => {
    const letters = [...text], cut = letters.length > size ? `${letters.slice(0, size - 1).join("").trimEnd()}\u2026` : text;
    return cut.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  };

  const title = (labels, values, quantity) => {
    const steps = values.slice(1).map((value, place) => Math.abs(value - values[place]));
    const place = steps.indexOf(Math.max(...steps));
    if (place < 0 || steps[place] < turn) {
      return `No single word turns the ${quantity}: it ends at ${values.at(-1).toFixed(1)} with ${data.pooling} pooling`;
    }
    const move = values.slice(place, place + 2).map((value) => value.toFixed(1)).join(" \u2192 ");
    return `\u201c${bare(labels[place + 1])}\u201d turns it: ${move} with ${data.pooling} pooling`;
  };

  const cutTold = ({ words, ends, skipped }, sentence) => [
    ...(ends.length < words.length ? [`At ${ends.length} evenly spaced words of ${words.length}.`] : []),
    ...(skipped ? [`The model doesn't read the last ${skipped.toLocaleString("en-US")} words of ${sentence}.`] : []),
  ].join(" ");

  const show = (key, text, values, told) => {
    const [sentence, quantity, top] = quantities[key];
    const frame = byId(key), labels = text.ends.map((end) => text.words[end - 1]);
    frame.hidden = false;
    frame.querySelector("h3").textContent = title(labels, values, quantity);
    const cut = frame.querySelector(".mb-cut");
    cut.textContent = cutTold(text, sentence);
    fillTable(frame.querySelector(".mb-table"), `The ${quantity} after each word of ${sentence}, 0 to ${top}`,
      ["After", data.pooling], labels.map((label, place) => [label, values[place].toFixed(2)]));
    const soFar = text.texts.map((part) => plain([...part].slice(-80).join(""), 80)), x = values.map((_, place) => place);
    window.minbertFigure(`live-${key}-plot`, ({ data: [line], layout }) => {
      Object.assign(line, { x, y: values, customdata: soFar.map((part, place) => [part, told[place]]) });
      Object.assign(layout.xaxis, { tickvals: x, ticktext: labels.map((label) => plain(label, longest)) });
    });
  };

  // `current` tells whether the question is still the one on the page; a curve that is late isn't shown.
  const read = async (model, [first, second], { alone }, current) => {
    const size = (place) => alone[place].ids.length;
    const a = model.explain.beginnings(first, mostRead(size(0) / 2)), moods = [];
    for (const part of a.texts) {
      if (!current()) return;
      moods.push((await model.answer(part, "")).sentiments[0]);
    }
    const rating = (shares) => shares.reduce((sum, share, place) => sum + place * share, 0);
    const classes = (shares) => shares.map((share, place) => `${data.labels[place]} ${percent(share)}`).reverse().join("<br>");
    if (!current()) return;
    show("reading", a, moods.map(rating), moods.map(classes));
    if (!second) return;
    const b = model.explain.beginnings(second, mostRead(3 * (size(0) + size(1) / 2))), scores = [];
    for (const part of b.texts) {
      if (!current()) return;
      scores.push(Math.min(Math.max((await model.answer(first, part)).pair.similarity, 0), 5));
    }
    if (current()) show("reading-pair", b, scores, scores.map((score) => data.bands[Math.floor(score + 0.5)]));
  };
  const clear = () => Object.keys(quantities).forEach((key) => { byId(key).hidden = true; });
  return { read, clear };
};
