// The model in a browser: its files fetched once, then text in, answers out, as minbert/predictor.py gives them.
"use strict";
const makeModel = (settings, locate) => { // settings: minbert/browser/package.py; locate: name -> address
  const GZIP = [0x1f, 0x8b];

  const lacking = () => {
    if (typeof WebAssembly !== "object") return "WebAssembly is switched off or missing";
    if (typeof DecompressionStream !== "function") return "it is older than 2023";
    return "";
  };

  const download = async (name, received, signal) => {
    const response = await fetch(locate(name), { signal }).catch(() => null);
    if (!response) throw new Error(`${name} couldn't be fetched: the connection failed. Try again`);
    if (!response.ok) throw new Error(`${name} couldn't be fetched: the host answered ${response.status}. Try again later`);
    const reader = response.body.getReader();
    const parts = [];
    for (;;) {
      const { done, value } = await reader.read().catch(() => {
        throw new Error(`${name} couldn't be fetched whole: the connection broke. Try again`);
      });
      if (done) return whole(name, new Blob(parts));
      parts.push(value);
      received(value.length);
    }
  };

  // A host may unpack a .gz on its way; then there is nothing left to do.
  const whole = async (name, blob) => {
    const start = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
    const packed = name.endsWith(".gz") && GZIP.every((byte, place) => start[place] === byte);
    const stream = packed ? blob.stream().pipeThrough(new DecompressionStream("gzip")) : blob.stream();
    const bytes = await new Response(stream).arrayBuffer().catch(() => new ArrayBuffer(0));
    if (bytes.byteLength !== settings.files[name].bytes) throw new Error(`${name} came damaged. Reload this page`);
    return bytes;
  };

  const load = async (tell) => {
    let got = 0;
    const stop = new AbortController(); // when one file fails, the others are left
    const received = (bytes) => {
      got += bytes;
      if (!stop.signal.aborted) tell(got, settings.fetched);
    };
    const { names } = settings;
    const script = import(locate(names.script)).catch(() => {
      throw new Error(`${names.script} couldn't be fetched. Reload this page`); // a browser keeps a failed import
    });
    const files = [names.graph, names.words, names.wasm].map((name) => download(name, received, stop.signal));
    const [runtime, graph, words, wasm] = await Promise.all([script, ...files]).catch((error) => {
      stop.abort();
      throw error;
    });
    tell(settings.fetched, settings.fetched);
    runtime.env.wasm.numThreads = 1; // threads need headers that a static host doesn't send
    runtime.env.wasm.wasmBinary = wasm;
    const session = await runtime.InferenceSession.create(new Uint8Array(graph), { executionProviders: ["wasm"] });
    const split = makeWordPieces(JSON.parse(new TextDecoder().decode(words)));

    const ask = async ({ ids, types }) => {
      await new Promise((resume) => setTimeout(resume)); // lets the page draw and hear between two inputs
      const tensor = (values) => new runtime.Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);
      const said = await session.run({
        input_ids: tensor(ids), attention_mask: tensor(ids.map(() => 1)), token_type_ids: tensor(types),
      });
      return {
        ids, sentiment: [...said.sentiment.data], paraphrase: said.paraphrase.data[0], joint: said.similarity.data[0],
        pooled: said.sentence_embedding.data, states: said.last_hidden_state.data,
      };
    };
    return {
      split,
      answer: (first, second) => answer(split, ask, first, second),
      explain: makeExplain(settings, split),
    };
  };

  const cosine = (one, other) => {
    let dot = 0, first = 0, second = 0;
    one.forEach((value, place) => {
      dot += value * other[place];
      first += value * value;
      second += other[place] * other[place];
    });
    return dot / Math.max(Math.sqrt(first) * Math.sqrt(second), 1e-8);
  };

  // Both orders of a pair are read, and each sentence alone; an empty `second` means A alone.
  const answer = async (split, ask, first, second) => {
    const texts = (second ? [first, second] : [first]).map(split.pieces);
    const alone = [];
    for (const pieces of texts) alone.push(await ask(split.single(pieces)));
    const sentiments = alone.map((one) => one.sentiment);
    if (!second) return { sentiments, alone, pair: null };
    const [a, b] = texts;
    const ab = await ask(split.joint(a, b)), ba = await ask(split.joint(b, a));
    const cos = cosine(alone[0].pooled, alone[1].pooled);
    const siamese = settings.cosine === "positive" ? 5 * cos : 2.5 * (cos + 1);
    const joint = (ab.joint + ba.joint) / 2;
    return {
      sentiments,
      alone, // ids, states and the embedding of each sentence
      cosine: cos,
      pair: {
        paraphraseAB: ab.paraphrase, paraphraseBA: ba.paraphrase, paraphrase: (ab.paraphrase + ba.paraphrase) / 2,
        jointAB: ab.joint, jointBA: ba.joint, joint, siamese,
        similarity: { siamese, joint, mean: (joint + siamese) / 2 }[settings.headline],
      },
    };
  };
  return { lacking, load };
};
