"""Words to try in another's place: our own groups, to be edited freely.

A word is replaced by the other words of every group it is in. Within a group all words fit the
same place in a sentence, most of the time. In lower case; a capital or capitals are put back.
"""

from __future__ import annotations

GROUPS: dict[str, tuple[tuple[str, ...], ...]] = {
    "adjective": (
        ("great", "good", "decent", "weak", "bad", "terrible"),
        ("lovely", "charming", "plain", "ugly", "dreadful"),
        ("funny", "witty", "serious", "sad", "boring"),
        ("exciting", "gripping", "slow", "dull", "tedious"),
        ("clever", "smart", "naive", "silly", "stupid"),
        ("fresh", "original", "familiar", "stale", "tired"),
        ("warm", "gentle", "cool", "cold", "harsh"),
        ("easy", "simple", "hard", "difficult"),
        ("fast", "quick", "slow"),
        ("big", "large", "small", "tiny"),
        ("new", "modern", "old", "ancient"),
        ("cheap", "affordable", "expensive"),
        ("safe", "risky", "dangerous"),
        ("red", "blue", "green", "black", "white", "yellow"),
        ("happy", "glad", "calm", "angry", "sad"),
    ),
    "adverb": (
        ("quickly", "slowly"),
        ("well", "badly", "poorly"),
        ("easily", "hardly"),
        ("beautifully", "clumsily"),
        ("always", "often", "sometimes", "rarely", "never"),
    ),
    "intensifier": (
        ("very", "quite", "rather", "slightly", "barely", "extremely", "not"),
        ("really", "truly", "somewhat", "hardly"),
        ("too", "so", "fairly"),
        ("completely", "mostly", "partly"),
    ),
    "negation": (
        ("is", "isn't"),
        ("are", "aren't"),
        ("was", "wasn't"),
        ("were", "weren't"),
        ("does", "doesn't"),
        ("do", "don't"),
        ("did", "didn't"),
        ("can", "can't"),
        ("will", "won't"),
        ("should", "shouldn't"),
        ("with", "without"),
        ("some", "no", "every", "any"),
        ("nobody", "somebody", "everybody"),
        ("nothing", "something", "everything"),
    ),
    "contrast": (
        ("but", "and"),
        ("before", "after"),
        ("more", "less"),
        ("best", "worst"),
        ("better", "worse"),
        ("love", "like", "dislike", "hate"),
        ("loves", "likes", "dislikes", "hates"),
        ("loved", "liked", "disliked", "hated"),
        ("win", "lose"),
        ("buy", "sell"),
        ("start", "stop"),
        ("inside", "outside"),
    ),
    "number": (
        ("one", "two", "three", "four", "five", "ten"),
        ("1", "2", "3", "5", "10", "100"),
        ("first", "second", "third", "last"),
        ("day", "week", "month", "year"),
    ),
    "question": (("how", "why", "when", "where"), ("who", "what"), ("which", "what")),
    "name": (
        ("anna", "maria", "john", "peter", "ahmed", "mei"),
        ("london", "paris", "berlin", "delhi", "lagos"),
        ("france", "germany", "india", "china", "nigeria", "canada"),
        ("python", "java", "excel"),
    ),
    "thing": (
        ("film", "movie", "book", "play", "song"),
        ("story", "plot", "script"),
        ("actor", "director", "writer"),
        ("dog", "cat", "horse", "bird"),
        ("man", "woman", "child"),
        ("men", "women", "children"),
        ("car", "bike", "train", "plane"),
        ("guitar", "piano", "violin", "drum"),
        ("water", "wine", "milk", "coffee"),
        ("sofa", "chair", "bed", "floor"),
    ),
}


def replacements_for(word: str) -> list[tuple[str, str]]:
    """Return (kind, replacement) for a word in any case, in its case; none for an unknown word."""
    plain = word.replace("’", "'").lower()
    found = {
        other: kind
        for kind, groups in GROUPS.items()
        for group in groups
        if plain in group
        for other in group
        if other != plain
    }
    return [(kind, in_case_of(other, word)) for other, kind in found.items()]


def in_case_of(word: str, pattern: str) -> str:
    """Return `word` with the pattern's capitals: all of them, the first, or none."""
    if len(pattern) > 1 and pattern.isupper():
        return word.upper()
    return word[0].upper() + word[1:] if pattern[:1].isupper() else word
