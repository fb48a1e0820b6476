// BERT's word pieces in a browser: what minbert/text.py and its tokenizer do, step by step.
// Devlin et al. 2019 (WordPiece by greedy longest match), and minbert's own preprocessing before it.
"use strict";
const makeWordPieces = (data) => { // data: minbert/browser/words.py
  const MASK = "[MASK]";
  const BRACKETS = { LRB: "(", RRB: ")", LSB: "[", RSB: "]", LCB: "{", RCB: "}" };
  // What Python's str.split takes for white space; JavaScript's own is another set.
  const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u;
  const KEPT = 0, DROPPED = 1, GAP = 2, APART = 3, PUNCTUATION = 4;

  const kinds = new Uint8Array(0x110000); // of each code point
  const mark = (ranges, kind) => {
    for (let place = 0; place < ranges.length; place += 2) kinds.fill(kind, ranges[place], ranges[place + 1] + 1);
  };
  mark(data.characters.punctuation, PUNCTUATION);
  mark(data.characters.dropped, DROPPED);
  mark(data.characters.gaps, GAP);
  mark(data.characters.apart, APART);
  const kind = (letter) => kinds[letter.codePointAt(0)];
  const known = new Map(data.vocabulary.map((piece, id) => [piece, id]));

  const trimmed = (text) => text.split(SPACE).filter(Boolean).join(" ");

  const normalise = (text) => trimmed(
    text.replace(/\p{Cs}/gu, "\ufffd") // half of an emoji, say
      .replace(/-([LR][RSC]B)-/g, (_, name) => BRACKETS[name])
      .replace(/``|''/g, '"')
      .replace(/\\([/*])/g, "$1"),
  ).replace(/(?<=[\p{L}\p{N}_]) ([nN]'[tT])(?![\p{L}\p{N}_])/gu, "$1");

  const words = (text) => {
    let spaced = "";
    for (const letter of text) {
      if (kind(letter) === GAP) spaced += " ";
      else if (kind(letter) === APART) spaced += ` ${letter} `;
      else if (kind(letter) !== DROPPED) spaced += letter;
    }
    const found = [];
    let word = "";
    const end = () => { if (word) found.push(word); word = ""; };
    for (const letter of spaced.normalize("NFD")) {
      if (kind(letter) === DROPPED) continue; // an accent
      for (const small of letter.toLowerCase()) {
        if (kind(small) === GAP) end();
        else if (kind(small) === PUNCTUATION) { end(); found.push(small); }
        else word += small;
      }
    }
    end();
    return found;
  };

  const piecesOfWord = (word) => {
    const letters = [...word];
    if (letters.length > data.longestWord) return [data.unknown];
    const ids = [];
    for (let start = 0; start < letters.length;) {
      let end = letters.length, id;
      for (; end > start; end -= 1) {
        id = known.get((start ? "##" : "") + letters.slice(start, end).join(""));
        if (id !== undefined) break;
      }
      if (id === undefined) return [data.unknown];
      ids.push(id);
      start = end;
    }
    return ids;
  };

  const ids = (text) => words(text).flatMap(piecesOfWord);

  const pieces = (text) => normalise(text).split(MASK).flatMap((part, place) => [
    ...(place ? [data.mask] : []), ...ids(part),
  ]);

  // How many pieces of each to keep, longest first, so that they fit.
  const keep = (first, second, budget) => {
    const half = Math.floor(budget / 2);
    if (first + second <= budget) return [first, second];
    if (second <= half) return [budget - second, second];
    if (first <= budget - half) return [first, budget - first];
    return [budget - half, half];
  };

  const single = (first) => {
    const kept = first.slice(0, data.maxLength - 2);
    const ids = [data.cls, ...kept, data.sep];
    return { ids, types: ids.map(() => 0), leftOut: first.length - kept.length };
  };

  const joint = (first, second) => {
    const [one, two] = keep(first.length, second.length, data.maxLength - 3);
    const head = [data.cls, ...first.slice(0, one), data.sep], tail = [...second.slice(0, two), data.sep];
    return {
      ids: [...head, ...tail],
      types: [...head.map(() => 0), ...tail.map(() => data.pairTypes)],
      leftOut: first.length - one + second.length - two,
    };
  };

  const count = (first) => ({
    tokens: first.length + 2,
    leftOut: Math.max(0, first.length + 2 - data.maxLength),
    unknown: first.filter((id) => id === data.unknown).length,
    masked: first.filter((id) => id === data.mask).length,
  });
  const token = (id) => data.vocabulary[id];
  const isMark = (id) => id === data.cls || id === data.sep;
  return { maxLength: data.maxLength, normalise, ids, pieces, single, joint, count, token, isMark };
};
