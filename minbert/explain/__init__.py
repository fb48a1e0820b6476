"""Why the model answers as it does: exact splits, words left out, layers, sets of sentences.

Tensors and plain values only; the page draws them. Beside the package's shapes:

    W  words of one sentence, [CLS] and [SEP] included unless said otherwise
    N  sentences of a set
"""

from minbert.explain.layers import layer_similarity
from minbert.explain.occlusion import (
    JointOcclusion,
    JointScore,
    SentimentOcclusion,
    SimilarityOcclusion,
    occlude_joint,
    occlude_sentiment,
    occlude_similarity,
)
from minbert.explain.sentiment import SentimentSplit, split_sentiment
from minbert.explain.sets import (
    Projection,
    Separation,
    clustered_order,
    cosine_matrix,
    group_separation,
    pooled_by,
    principal_components,
)
from minbert.explain.similarity import SimilaritySplit, split_similarity
from minbert.explain.words import Words, merge_attention, merge_sum, words_of

__all__ = [
    "JointOcclusion",
    "JointScore",
    "Projection",
    "SentimentOcclusion",
    "SentimentSplit",
    "Separation",
    "SimilarityOcclusion",
    "SimilaritySplit",
    "Words",
    "clustered_order",
    "cosine_matrix",
    "group_separation",
    "layer_similarity",
    "merge_attention",
    "merge_sum",
    "occlude_joint",
    "occlude_sentiment",
    "occlude_similarity",
    "pooled_by",
    "principal_components",
    "split_sentiment",
    "split_similarity",
    "words_of",
]
