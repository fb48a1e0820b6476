// Prints the mean-pooled embeddings that transformers.js gives: node embed.mjs FOLDER NAME TEXT...
import { env, pipeline } from "@huggingface/transformers";

const [folder, name, ...texts] = process.argv.slice(2);
env.localModelPath = folder;
env.allowRemoteModels = false;
const embed = await pipeline("feature-extraction", name, { dtype: "fp32" });
console.log(JSON.stringify((await embed(texts, { pooling: "mean" })).tolist()));
