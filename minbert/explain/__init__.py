"""Why the model answers as it does: exact splits, gradients, attention, other and fewer words.

Tensors and plain values only; the page draws them. Beside the package's shapes:

    W  words of one sentence, [CLS] and [SEP] included unless said otherwise
    N  sentences of a set
"""

from minbert.explain.attention_view import DIRECTIONS, AttentionView, view_attention
from minbert.explain.bias import BiasProbe, Swaps, probe_bias, probe_sentence
from minbert.explain.bias_templates import Template, probe_templates, probe_terms
from minbert.explain.counterfactuals import Counterfactual, Counterfactuals, find_counterfactuals
from minbert.explain.gradients import (
    IntegratedGradients,
    gradient_times_input,
    integrated_gradients,
)
from minbert.explain.heads_summary import HeadsSummary, summarise_heads
from minbert.explain.layers import layer_similarity
from minbert.explain.nearest import NearestIndex, Neighbour, TrainingText
from minbert.explain.occlusion import (
    JointOcclusion,
    JointScore,
    SentimentOcclusion,
    SimilarityOcclusion,
    occlude_joint,
    occlude_sentiment,
    occlude_similarity,
)
from minbert.explain.ranked import METHODS, Disagreement, Explanation, Ranked, disagreement, explain
from minbert.explain.reduction import Reduction, Step, reduce_input
from minbert.explain.rollout import attention_rollout, pooled_rollout
from minbert.explain.sets import (
    Projection,
    Separation,
    clustered_order,
    cosine_matrix,
    group_separation,
    pooled_by,
    principal_components,
)
from minbert.explain.spans import Beginnings, Phrases, beginnings, phrases
from minbert.explain.splits import (
    LogitSplit,
    SentimentSplit,
    SimilaritySplit,
    split_sentiment,
    split_similarity,
)
from minbert.explain.targets import EXPECTED, Answer, Target, WordScores, target_for
from minbert.explain.words import Words, merge_attention, merge_sum, words_of

__all__ = [
    "DIRECTIONS",
    "EXPECTED",
    "METHODS",
    "Answer",
    "AttentionView",
    "Beginnings",
    "BiasProbe",
    "Counterfactual",
    "Counterfactuals",
    "Disagreement",
    "Explanation",
    "HeadsSummary",
    "IntegratedGradients",
    "JointOcclusion",
    "JointScore",
    "LogitSplit",
    "NearestIndex",
    "Neighbour",
    "Phrases",
    "Projection",
    "Ranked",
    "Reduction",
    "SentimentOcclusion",
    "SentimentSplit",
    "Separation",
    "SimilarityOcclusion",
    "SimilaritySplit",
    "Step",
    "Swaps",
    "Target",
    "Template",
    "TrainingText",
    "WordScores",
    "Words",
    "attention_rollout",
    "beginnings",
    "clustered_order",
    "cosine_matrix",
    "disagreement",
    "explain",
    "find_counterfactuals",
    "gradient_times_input",
    "group_separation",
    "integrated_gradients",
    "layer_similarity",
    "merge_attention",
    "merge_sum",
    "occlude_joint",
    "occlude_sentiment",
    "occlude_similarity",
    "phrases",
    "pooled_by",
    "pooled_rollout",
    "principal_components",
    "probe_bias",
    "probe_sentence",
    "probe_templates",
    "probe_terms",
    "reduce_input",
    "split_sentiment",
    "split_similarity",
    "summarise_heads",
    "target_for",
    "view_attention",
    "words_of",
]
