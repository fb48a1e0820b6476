"""The shipped mean-pooling model: head pretraining, then annealed multitask fine-tuning.

Differs from the report's settings, for an encoder of 23 M parameters on two CPU cores: smaller
encoder, higher learning rate, dropout 0.1, Siamese score 5 * cos, batches filled to 1,024 tokens,
fewer and shorter epochs, word embeddings left as they are. The similarity that is reported is the
mean of the joint and the Siamese score.
"""

from trainer.config import TrainConfig

RECIPE = TrainConfig(
    name="mean",
    encoder="sentence-transformers/all-MiniLM-L6-v2",
    pooling="mean",
    cosine_scaling="positive",
    similarity_score="mean",
    hidden_dropout=0.1,
    head_examples=8192,
    epochs=8,
    steps_per_epoch=400,
    learning_rate=1e-4,
    batch_examples=64,
    batch_tokens=1024,
    freeze_word_embeddings=True,
    dev_examples=2000,
)
