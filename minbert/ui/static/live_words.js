// Coloured words and reading curves of what is typed: the stored ones, which the app's own templates made, are filled anew.
"use strict";
const liveNumbers = {
  percent: (share) => {
    if (share === 0 || share === 1) return `${100 * share} %`;
    if (share > 0.995) return "> 99 %";
    return share < 0.005 ? "< 1 %" : `${(100 * share).toFixed(0)} %`;
  },
  signed: (value, decimals = 3) => {
    const size = Math.abs(value).toFixed(decimals);
    return `${value < 0 && Number(size) ? "\u2212" : "+"}${size}`;
  },
};

const makeLiveWords = (data) => { // data: minbert/ui/static/live.py
  const { signed } = liveNumbers, byId = (id) => document.getElementById(`live-${id}`);
  const sumOf = (values) => values.reduce((sum, value) => sum + value, 0);
  const largest = (values) => Math.max(0, ...values.map(Math.abs)) || 1;
  const copy = (one) => one.cloneNode(true);

  // A table's cells, made from those of a stored one.
  const fillTable = (frame, caption, names, rows) => {
    const [head, body] = ["thead", "tbody"].map((part) => frame.querySelector(part));
    const [heading, first] = [copy(head.querySelector("th")), copy(body.querySelector("tr"))];
    const [name, cell] = [first.querySelector("th"), first.querySelector("td")];
    const filled = (one, text) => {
      const made = copy(one);
      made.textContent = text;
      return made;
    };
    frame.setAttribute("aria-label", caption);
    frame.querySelector("caption").textContent = caption;
    head.querySelector("tr").replaceChildren(...names.map((text) => filled(heading, text)));
    body.replaceChildren(...rows.map(([text, ...numbers]) => {
      const row = first.cloneNode(false);
      row.append(filled(name, text), ...numbers.map((number) => filled(cell, number)));
      return row;
    }));
  };

  const ideograph = (label) => /^\p{Script=Han}$/u.test(label);
  const spaced = (labels, place) => {
    if (!place) return false;
    const label = labels[place], before = labels[place - 1];
    if ([...label].length === 1 && ".,;:!?)]}%\u2026'\u2019\u201d".includes(label)) return false;
    if (["'", "\u2019", "(", "[", "{", "\u201c"].includes(before)) return false;
    return !(ideograph(label) && ideograph(before));
  };

  // A section of coloured words; the hint below it is the stored one's.
  const fillSection = (stored, { title, sentences, reading, caption, names, rows }) => {
    const section = copy(stored), said = copy(section.querySelector(".mb-said"));
    section.querySelector("h3").textContent = title;
    section.querySelectorAll(".mb-said").forEach((one) => one.remove());
    const told = section.querySelector(".mb-readout");
    sentences.forEach(({ name, words, note }) => {
      const one = copy(said), line = one.querySelector(".mb-sentence"), word = copy(line.querySelector(".mb-word"));
      line.setAttribute("aria-label", line.getAttribute("aria-label").replace(`of ${line.dataset.of}`, `of ${name}`));
      line.dataset.of = name;
      line.replaceChildren(...words.flatMap((each, place) => {
        const made = copy(word);
        made.className = each.share < 0 ? "mb-word mb-less" : "mb-word";
        made.tabIndex = place ? -1 : 0;
        made.style.setProperty("--s", Math.abs(each.share));
        made.dataset.own = each.share;
        made.setAttribute("aria-label", each.told);
        delete made.dataset.with;
        if (each.partners) made.dataset.with = each.partners.join(",");
        made.textContent = each.label;
        return spaced(words.map((other) => other.label), place) ? [" ", made] : [made];
      }));
      if (note) one.querySelector(".mb-note").textContent = note;
      told.before(one);
    });
    const list = section.querySelector("details ul"), item = copy(list.querySelector("li"));
    list.replaceChildren(...reading.map((text) => {
      const line = copy(item);
      line.textContent = text;
      return line;
    }));
    fillTable(section.querySelector(".mb-table"), caption, names, rows);
    section.querySelectorAll("details").forEach((one) => { one.open = false; });
    return section;
  };

  const share = (value, most) => Number((value / most).toFixed(3));
  const rounded = (value) => `${value.toFixed(1)} of 4`;

  // What each word adds to the sentiment; minbert/ui/parts/coloured_words.py, moods_block.
  const moodsOf = (moods, ratings) => {
    const written = moods.map((mood) => mood.words.filter((word) => !word.mark));
    const most = largest(written.flat().map((word) => word.value));
    const titles = written.map((words, place) => {
      const top = words.reduce((best, word) => (Math.abs(word.value) > Math.abs(best.value) ? word : best));
      const way = top.value >= 0 ? "lifts" : "lowers";
      return `\u201c${top.label}\u201d ${way} ${"AB"[place]} most: ${signed(top.value, 2)}`;
    });
    const reading = moods.map(({ words, bias, total }, place) => {
      const own = sumOf(written[place].map((word) => word.value)), marks = sumOf(words.map((word) => word.value)) - own;
      const link = (total >= 0) === (ratings[place] >= 2) ? "so" : "yet", side = ratings[place] >= 2 ? "above" : "below";
      return `${"AB"[place]}: words ${signed(own, 2)}, start and end marks ${signed(marks, 2)}, bias ${signed(bias, 2)}: `
        + `together ${signed(total, 2)}, ${link} the rating, ${rounded(ratings[place])}, lies ${side} the middle.`;
    });
    const rows = moods.flatMap(({ words, bias, total }, place) => [
      ...words.map((word) => [`${word.label} (${"AB"[place]})`, signed(word.value)]),
      [`bias (${"AB"[place]})`, signed(bias)], [`sum (${"AB"[place]})`, signed(total)],
    ]);
    const sentences = written.map((words, place) => ({
      name: "AB"[place],
      words: words.map(({ label, value }) => ({ label, told: `${label}: ${signed(value, 2)}`, share: share(value, most) })),
      note: `Sum ${signed(moods[place].total, 2)}: rating ${rounded(ratings[place])}.`,
    }));
    return { title: titles.join("; "), sentences, reading, caption: "What each word adds", names: ["Word", "adds"], rows };
  };

  // minbert/explain/splits.py, score_formula: as many decimals as it takes for the line to be right.
  const formula = (cosine) => {
    const positive = data.model.cosine === "positive", scaled = (value) => (positive ? 5 * value : 2.5 * (value + 1));
    const written = (value, decimals) => {
      const exact = Number(value.toFixed(6)), size = (Math.round(Math.abs(exact) * 10 ** decimals + 1e-9) / 10 ** decimals);
      return `${exact < 0 && size ? "-" : ""}${size.toFixed(decimals)}`;
    };
    const result = written(scaled(cosine), 1);
    let decimals = 2;
    while (decimals < 6 && written(scaled(Number(written(cosine, decimals))), 1) !== result) decimals += 1;
    const shown = written(cosine, decimals);
    if (!positive) return `2.5 \u00d7 (${shown} + 1) = ${result}`;
    return `5 \u00d7 ${shown.startsWith("-") ? `(${shown})` : shown} = ${result}`;
  };

  // Which words the cosine comes from; pair_block there.
  const pairOf = ({ rows, columns, matrix }, cosine) => {
    const kept = [rows, columns].map((words) => words.flatMap((word, place) => (word.mark ? [] : [place])));
    const labels = kept.map((places, side) => places.map((place) => [rows, columns][side][place].label));
    const inner = kept[0].map((row) => kept[1].map((column) => matrix[row][column]));
    const turned = inner[0].map((_, column) => inner.map((row) => row[column]));
    const whole = [matrix.map(sumOf), matrix[0].map((_, column) => sumOf(matrix.map((row) => row[column])))];
    const sums = kept.map((places, side) => places.map((place) => whole[side][place]));
    const limit = Math.max(...inner.flat().map(Math.abs), 1e-12), most = largest(sums.flat());
    const sentences = [inner, turned].map((lines, side) => ({
      name: "AB"[side],
      words: labels[side].map((label, place) => {
        const line = lines[place], best = line.indexOf(Math.max(...line)), sum = sums[side][place];
        const told = `${label}: ${signed(sum)}, most with \u201c${labels[1 - side][best]}\u201d ${signed(line[best])}`;
        const partners = side ? null : line.map((value) => Math.round(1000 * value / limit));
        return { label, told, share: share(sum, most), partners };
      }),
    }));
    const flat = inner.flat(), top = Math.max(...flat), at = flat.indexOf(top), wide = labels[1].length;
    const between = sumOf(flat);
    const most24 = (values) => values.slice(0, data.cells);
    const cut = Math.max(rows.length, columns.length) > data.cells
      ? `; the first ${Math.min(rows.length, data.cells)} of ${rows.length} rows and `
        + `${Math.min(columns.length, data.cells)} of ${columns.length} columns` : "";
    return {
      title: `\u201c${labels[0][Math.floor(at / wide)]}\u201d and \u201c${labels[1][at % wide]}\u201d match most: `
        + `${signed(top)} of ${cosine.toFixed(2)}`,
      sentences,
      reading: [`Words with words ${signed(between, 2)}, with start and end marks ${signed(cosine - between, 2)}: the cosine `
        + `${cosine.toFixed(2)}. Siamese score: ${formula(cosine)}.`],
      caption: `Words of A (rows) with words of B (columns)${cut}`,
      names: ["A", ...most24(columns).map((word) => word.label)],
      rows: most24(rows).map((word, row) => [
        word.label, ...most24(matrix[row]).map((value) => `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(4)}`),
      ]),
    };
  };

  const place = byId("words"), [storedMoods, storedPair] = [...place.querySelectorAll(".mb-findings")].map(copy);
  const note = (text) => {
    const made = document.createElement("p");
    made.className = "mb-note";
    made.textContent = text;
    return made;
  };

  const show = (explain, { alone, cosine, ratings }) => {
    if (!explain.mood || !storedMoods) return;
    const shown = [fillSection(storedMoods, moodsOf(alone.map(explain.mood), ratings))];
    if (alone.length > 1 && storedPair) {
      const found = explain.match(...alone), fits = found.rows.length * found.columns.length <= data.mostPairs;
      shown.push(fits ? fillSection(storedPair, pairOf(found, cosine)) : note(data.tooLong));
    }
    place.replaceChildren(...shown);
  };
  return { show, clear: () => place.replaceChildren(), fillTable };
};
