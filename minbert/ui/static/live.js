// The page of findings that answers: fields and button, the model fetched on the first question, and its cards.
(() => {
  const data = JSON.parse(document.getElementById("data-live").textContent);
  const byId = (id) => document.getElementById(`live-${id}`);
  const [first, second, lesson, button] = ["first", "second", "lesson", "answer"].map(byId);
  const [told, progress, counts, cards] = ["told", "progress", "counts", "cards"].map(byId);
  const words = makeLiveWords(data), reading = makeLiveReading(data, words.fillTable);
  const PAUSE = 400; // milliseconds without a key before an answer follows the typing

  const locate = (name) =>
    new URL(`${data.folder}/${name}?${data.model.files[name].mark}`, document.baseURI).href;
  const model = makeModel(data.model, locate);

  // What is drawn: elements made here, every text as text.
  const made = (kind, name, text, ...inside) => {
    const element = document.createElement(kind);
    if (name) element.className = name;
    if (text) element.textContent = text;
    element.append(...inside);
    return element;
  };
  const seen = (element, label) => {
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", label);
    return element;
  };

  const { percent } = liveNumbers;
  const clamped = (score) => Math.min(Math.max(score, 0), 5);
  const whole = (number) => number.toLocaleString("en-US");

  const meter = (share, label) => {
    const fill = made("div", "mb-fill");
    fill.style.width = `${(100 * Math.min(Math.max(share, 0), 1)).toFixed(1)}%`;
    return seen(made("div", "mb-meter mb-main", "", fill), label);
  };
  const more = (...parts) =>
    made("details", "mb-fold", "", made("summary", "", "How to read this"), ...parts);

  const card = (title, finding, ...body) =>
    made("section", "mb-card", "", made("h3", "", title), made("p", "mb-finding", finding), ...body);

  const rating = (shares) => shares.reduce((sum, share, place) => sum + place * share, 0);

  const sentimentCard = (name, shares) => {
    const best = shares.indexOf(Math.max(...shares));
    const rows = shares.map((share, place) => made(
      "div", place === best ? "mb-row mb-best" : "mb-row", "",
      made("span", "mb-name", data.labels[place]),
      meter(share, `${data.labels[place]}: ${percent(share)}`),
      made("span", "mb-value", percent(share)),
    ));
    const expected = rating(shares).toFixed(1);
    const often = data.withinOne
      ? `; within one class of people's in ${percent(data.withinOne)} of unseen sentences` : "";
    const note = `expected rating ${expected} (0 very negative, 4 very positive)${often}`;
    return card(`Sentiment of ${name}`, data.labels[best], ...rows, more(made("p", "mb-note", note)));
  };

  const paraphraseCard = (pair) => card(
    "Do A and B say the same? (paraphrase)", pair.paraphrase > 0.5 ? "yes" : "no",
    made("div", "mb-row mb-wide", "",
      meter(pair.paraphrase, `paraphrase: ${percent(pair.paraphrase)}`),
      made("span", "mb-value", percent(pair.paraphrase))),
    more(made("p", "mb-note", `A then B ${percent(pair.paraphraseAB)}, B then A ${percent(pair.paraphraseBA)}; `
      + `shown is their mean, yes above ${percent(0.5)}`)),
  );

  const whichScore = (pair) => {
    if (Math.abs(pair.similarity - pair.joint) <= 1e-4) return "the joint score";
    if (Math.abs(pair.similarity - pair.siamese) <= 1e-4) return "the Siamese score";
    return "the mean of the joint and the Siamese score";
  };

  const similarityCard = (pair) => {
    const score = pair.similarity, shown = clamped(score);
    const marker = made("div", "mb-marker");
    marker.style.left = `${(20 * shown).toFixed(1)}%`;
    const outside = score >= 0 && score <= 5 ? "" : `; the model said ${score.toFixed(2)}, shown within 0 to 5`;
    return card(
      "How close are they in meaning? (similarity)", `${shown.toFixed(1)} of 5`,
      made("p", "mb-band", data.bands[Math.floor(shown + 0.5)]),
      seen(made("div", "mb-gauge", "", marker), `similarity ${shown.toFixed(1)} of 5`),
      made("div", "mb-ticks", "", ...[0, 1, 2, 3, 4, 5].map((tick) => made("span", "", `${tick}`))),
      more(made("p", "mb-note", `shown is ${whichScore(pair)}${outside}`),
      made("dl", "mb-scores", "",
        made("dt", "", "joint"), made("dd", "", clamped(pair.joint).toFixed(2)),
        made("dd", "", `A and B are read together: A then B ${clamped(pair.jointAB).toFixed(2)}, `
          + `B then A ${clamped(pair.jointBA).toFixed(2)}`),
        made("dt", "", "Siamese"), made("dd", "", clamped(pair.siamese).toFixed(2)),
        made("dd", "", "each is read alone, then their two vectors are compared"))),
    );
  };

  const alone = () => card(
    "Two sentences, two more answers", "Add a sentence B",
    made("p", "mb-note", "Then the same model also says whether both say the same (paraphrase), and how close "
      + "they are in meaning from 0 to 5 (similarity)."),
  );

  const drawn = ({ sentiments, pair }) => made(
    "div", "mb-cards", "",
    ...sentiments.map((shares, place) => sentimentCard("AB"[place], shares)),
    ...(pair ? [paraphraseCard(pair), similarityCard(pair)] : [alone()]),
  );

  // What is typed: checked, and its length told, as the app does.
  const problem = (texts, split) => {
    if (!texts[0]) return "Sentence A is empty. Type a sentence there, then press Answer.";
    for (const [place, text] of texts.entries()) {
      const length = [...text].length, name = `Sentence ${"AB"[place]}`;
      if (length > data.longest) {
        return `${name} has ${whole(length)} characters. The limit is ${whole(data.longest)}; shorten it.`;
      }
      if (split && text && !split.pieces(text).length) {
        return `${name} has only invisible characters. Type some words there.`;
      }
    }
    return "";
  };

  const notices = (split, texts) => {
    const pieces = texts.filter(Boolean).map(split.pieces);
    const limit = split.maxLength;
    const lines = pieces.map((one, place) => {
      const { tokens, leftOut, unknown, masked } = split.count(one);
      return `${"AB"[place]}: ${whole(tokens)} tokens`
        + (leftOut ? `, cut to the ${limit} that the model reads; ${whole(leftOut)} left out` : "")
        + (unknown ? `; ${whole(unknown)} not in its vocabulary, read as [UNK]` : "")
        + (masked ? `; ${whole(masked)} hidden from it by [MASK]` : "");
    });
    const left = pieces.length > 1 ? split.joint(...pieces).leftOut : 0;
    if (left) lines.push(`A and B together: cut to ${limit} tokens, ${whole(left)} left out`);
    return made("p", "mb-note mb-notice", [...lines, "start and end marks counted"].join(" · "));
  };

  // What is told while it works.
  const say = (text, isProblem = false) => {
    told.textContent = text;
    told.classList.toggle("mb-problem", isProblem);
  };
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  const fetching = (got, all) => {
    const share = Math.min(got / all, 1);
    progress.hidden = false;
    progress.setAttribute("aria-valuenow", (100 * share).toFixed(0));
    progress.firstElementChild.style.width = `${(100 * share).toFixed(1)}%`;
    say(got < all ? `Fetching the model: ${megabytes(got)} of ${megabytes(all)} MB` : "Starting the model ...");
  };

  let loaded = null, loading = null, asked = 0;
  const ready = async () => {
    if (location.protocol === "file:") {
      throw new Error("A page opened as a file may not fetch its model. Serve its folder (python3 -m http.server, "
        + "started in it), and open http://127.0.0.1:8000");
    }
    if (model.lacking()) {
      throw new Error(`This browser can't run the model: ${model.lacking()}. Everything else on this page works`);
    }
    loading ??= model.load(fetching).finally(() => { loading = null; progress.hidden = true; });
    loaded = await loading;
  };

  const typed = () => [first, second].map((field) => field.value.trim());

  const clear = (text, isProblem) => {
    cards.replaceChildren();
    words.clear();
    reading.clear();
    counts.replaceChildren();
    say(text, isProblem);
  };

  const answer = async () => {
    const turn = asked += 1;
    try {
      const wrong = problem(typed(), loaded?.split);
      if (wrong) return clear(wrong, true);
      button.setAttribute("aria-disabled", "true");
      if (!loaded) await ready();
      if (turn !== asked) return; // something newer was asked meanwhile
      const texts = typed(), hidden = problem(texts, loaded.split);
      if (hidden) return clear(hidden, true);
      const start = performance.now();
      const found = await loaded.answer(...texts);
      if (turn !== asked) return;
      counts.replaceChildren(notices(loaded.split, texts));
      cards.replaceChildren(drawn(found));
      words.show(loaded.explain, { ...found, ratings: found.sentiments.map(rating) });
      reading.clear();
      say(`Answered in this browser in ${(performance.now() - start).toFixed(0)} ms; nothing that you type leaves it.`);
      reading.read(loaded, texts, found, () => turn === asked).catch((error) => say(`${error.message}.`, true));
    } catch (error) {
      if (turn === asked) clear(`${error.message}.`, true);
    } finally {
      if (turn === asked) button.removeAttribute("aria-disabled");
    }
  };

  let waiting = 0;
  const changed = () => {
    clearTimeout(waiting);
    if (loaded) waiting = setTimeout(answer, PAUSE);
    else if (!loading) clear(`Press Answer: ${megabytes(data.model.fetched)} MB are fetched once, from this page's own folder.`);
  };
  [first, second].forEach((field) => {
    field.addEventListener("input", changed);
    field.addEventListener("keydown", (key) => {
      if (key.key === "Enter" && !key.shiftKey && !key.isComposing) { key.preventDefault(); answer(); }
    });
  });
  lesson.addEventListener("change", () => {
    [first.value, second.value] = data.lessons[Number(lesson.value)];
    changed();
  });
  button.addEventListener("click", answer);
  // A browser may have kept what was typed before a reload; then the stored answer isn't its answer.
  if (typed().some((text, place) => text !== data.lessons[0][place].trim())) changed();
})();
