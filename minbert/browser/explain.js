// What minbert/explain computes, for a model with mean pooling in a browser: words, exact splits, a text's beginnings.
"use strict";
const makeExplain = (settings, split) => { // settings: minbert/browser/package.py; split: makeWordPieces
  // minbert/explain/words.py: a word's later pieces join its first one; start and end marks stay alone.
  const wordsOf = (ids) => {
    const found = [];
    ids.forEach((id, position) => {
      const token = split.token(id), mark = split.isMark(id), before = found.at(-1);
      if (!mark && token.startsWith("##") && before && !before.mark) {
        before.label += token.slice(2);
        before.positions.push(position);
      } else found.push({ label: token, mark, positions: [position] });
    });
    return found;
  };

  const dot = (one, other, start = 0, from = 0, size = other.length) => {
    let sum = 0;
    for (let place = 0; place < size; place += 1) sum += one[start + place] * other[from + place];
    return sum;
  };
  const sumOf = (values) => values.reduce((sum, value) => sum + value, 0);
  const lengthOf = (vector) => Math.max(Math.sqrt(dot(vector, vector)), 1e-8);

  // minbert/explain/splits.py: the sum over the classes of (class - middle) x logit, split over the words.
  const mood = ({ ids, states }) => {
    const { weights, bias } = settings.leaning, count = ids.length, size = weights.length;
    const parts = ids.map((_, place) => dot(states, weights, place * size) / count);
    const words = wordsOf(ids).map((word) => ({ ...word, value: sumOf(word.positions.map((place) => parts[place])) }));
    return { words, bias, total: bias + sumOf(parts) };
  };

  // The cosine as a matrix over the words of both sentences.
  const match = (first, second) => {
    const [rows, columns] = [first, second].map((one) => wordsOf(one.ids)), size = first.pooled.length;
    const whole = first.ids.length * second.ids.length * lengthOf(first.pooled) * lengthOf(second.pooled);
    // Of the words' sums of states the dots are the sums of their tokens' dots.
    const merged = (one, words) => words.map(({ positions }) => Float64Array.from({ length: size }, (_, place) =>
      sumOf(positions.map((position) => one.states[position * size + place]))));
    const [a, b] = [merged(first, rows), merged(second, columns)];
    return { rows, columns, matrix: a.map((row) => b.map((column) => dot(row, column) / whole)) };
  };

  // minbert/explain/spans.py: words are what white space parts, and single Chinese characters.
  const MASK = "\\[MASK\\]";
  const APART = "\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{2ceaf}\\u{2f800}-\\u{2fa1f}";
  const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
  const WORD = new RegExp(`${MASK}|[${APART}]|(?:(?!${MASK})[^${SPACE}${APART}])+`, "gu");

  const beginnings = (text, most) => {
    const matches = [...text.matchAll(WORD)], spans = [];
    let room = split.maxLength - 2, skipped = 0;
    for (const [place, { 0: word, index }] of matches.entries()) {
      if (room <= 0) { skipped = matches.length - place; break; }
      const pieces = split.pieces(word).length;
      if (pieces) spans.push([index, index + word.length]);
      else if (spans.length) spans.at(-1)[1] = index + word.length;
      room -= pieces;
    }
    const count = Math.min(most, spans.length);
    const ends = Array.from({ length: count }, (_, step) => Math.ceil((step + 1) * spans.length / count));
    return {
      words: spans.map(([start, end]) => text.slice(start, end)),
      ends,
      texts: ends.map((end) => text.slice(0, spans[end - 1][1])),
      skipped,
    };
  };
  return { mood: settings.leaning && mood, match, beginnings };
};
