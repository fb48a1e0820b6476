"""Masking demographic information: the preprocessing that the report's ethics section asks for.

Report section 8: "we mask or abstract away demographic information, such that it is not a factor
in the embeddings". Differs from the report: it only proposes; lists, placeholders and rules are
ours, and no model of the report's tables has seen masked text.

A term becomes a plain word that BERT's vocabulary knows ("actress": "actor", "Muslims":
"believers", "Indian": "national"), because `[MASK]` means "guess this word" to a pretrained
encoder. The rules, from the most to the least certain:

- Whole words in any case, first capital or capitals kept; "a" and "an" follow the new word.
- "She is", "she's", "does she" become "they are", "they're", "do they", and "she sings" "they
  sing"; a verb further off stays: "she often sings" is "they often sings".
- "Her" is "their" before a noun phrase and "them" before a function word or a stop; likewise
  "his" (their, theirs). So "saw her leave" wrongly becomes "saw their leave".
- "A Muslim" is "a believer" but "Muslim art" is "religious art", by the same look at what follows.
- Words with another everyday sense are masked only where they tell of people: "black", "old",
  "straight", "blind", "English" before "people", "women" and such, or in "the blind", "I am
  blind"; "Polish" only with its capital; "king" only without. Languages ("in Spanish") stay, and
  so do set phrases ("mother tongue", "French fries").
- A capitalised noun right after another capitalised word is a name ("Wonder Woman") and stays;
  so does a noun that a hyphen joins to another word ("man-made").

Left alone: names of persons and of countries, "kid" and "child", and whatever no list holds.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Sequence

from minbert.demographics.terms import Term, term_lists
from minbert.tables import Example

SUBJECT = r"he\s+or\s+she|she\s+or\s+he|he\s*/\s*she|she\s*/\s*he|s/he|he|she"
PLURAL_VERBS = {"is": "are", "was": "were", "has": "have", "does": "do"}
NO_VERBS = ("always", "sometimes", "perhaps", "besides", "thus", "nowadays", "this", "his", "as")
AFTER_HAS = ("been", "got", "had", "become", "gone", "made", "done", "taken")  # "she's been"
JOINERS = ("and", "or")
VOWEL_SOUND = ("a", "e", "i", "o", "heir")  # no placeholder starts with "u" as in "under"
CONTEXT = 32  # characters looked at before a term


def _alternatives(phrases: Iterable[str]) -> str:
    """Return a pattern of all phrases, longest first, grouped by first letter for speed."""
    groups: dict[str, list[str]] = {}
    for phrase in sorted(phrases, key=lambda phrase: (-len(phrase), phrase)):
        rest = re.escape(phrase[1:]).replace(r"\ ", r"[\s-]+").replace("'", "['’]")
        groups.setdefault(phrase[0], []).append(rest)
    return "|".join(f"{letter}(?:{'|'.join(rests)})" for letter, rests in sorted(groups.items()))


_AUX = r"(?:is|was|has|does)(?:n['’]t)?"
_VERB = rf"{_AUX}|(?!(?:{'|'.join(NO_VERBS)})\b)[a-z]+[a-hj-rtv-z]s"
_NUMBER = (
    r"\d{1,3}|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[\s-]+[a-z]+)?"
    r"|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[a-z]{3,5}teen"
)
_NEXT_WORD = re.compile(r"(?:\s+[\"“‘`']*|-)(\w[\w'’]*)")
_NAME_NEXT = re.compile(r"\.?\s+[A-Z]")
_I_AM = re.compile(r"\bI(?:\s+am|\s*['’]m)\s+$", re.IGNORECASE)


@functools.cache
def _pattern() -> re.Pattern[str]:
    """Return the pattern of whatever may be a term, or look like one and be kept."""
    lists = term_lists()
    known = {key.lower() for key in {*lists.listed, *lists.exact, *lists.kept}}
    return re.compile(
        rf"""(?<!\w)(?:
      (?:(?P<aux>{_AUX})(?P<aux_gap>\s+))?
      (?P<subject>{SUBJECT})(?!\w|-\w)
      (?:(?P<gap>\s*)(?P<clitic>['’]s)(?!\w)(?=(?P<later>\s+\w+)?)
      | (?P<space>\s+)(?P<verb>{_VERB})(?!\w))?
    | (?:(?P<article>an?)(?P<article_gap>\s+))?
      (?:(?P<years>{_NUMBER})(?P<old>[\s-]+(?:years?|yrs?)[\s-]+olds?)
      | (?P<term>{_alternatives(known)}))(?!\w)
      (?P<possessive>(?<=s)['’](?=\s+\w))?
    )""",
        re.IGNORECASE | re.VERBOSE,
    )


@functools.cache
def _people_next() -> re.Pattern[str]:
    """Return the pattern of a word for a person, after any adjectives from the lists."""
    adjectives = {
        word
        for term, entry in term_lists().listed.items()
        if entry.category not in ("pronoun", "gender", "title")
        for word in (term, entry.before_noun)
    }
    nouns = "|".join(sorted(term_lists().person_nouns))
    return re.compile(
        rf"(?:[\s-]+(?:and|or|{_alternatives(adjectives)}))*[\s-]+(?:{nouns})(?!\w)",
        re.IGNORECASE,
    )


@dataclasses.dataclass(frozen=True)
class FoundTerm:
    """A demographic term in a text."""

    start: int  # in characters
    end: int
    category: str
    placeholder: str  # the neutral word that would take its place
    others: tuple[str, ...]  # further terms of its list, which fit the same place


def find_terms(text: str) -> list[FoundTerm]:
    """Return the demographic terms of `text` as it stands, by the module's rules, in order."""
    found, listed = [], term_lists().listed
    for match in _pattern().finditer(text):
        if match["subject"]:
            found.append(FoundTerm(*match.span("subject"), "pronoun", "they", ()))
        elif match["years"]:
            if _said_of_person(text, match.end("old")):
                found.append(FoundTerm(*match.span("years"), "age", "some", ()))
        elif (entry := _entry_of(match)) is not None:
            own = _key_of(match).lower()
            others = tuple(term for term, mate in listed.items() if mate == entry and term != own)
            told = _placeholder(entry, match)
            found.append(FoundTerm(*match.span("term"), entry.category, told, others))
    return found


def mask_demographics(text: str) -> str:
    """Replace the demographic terms of `text` by neutral words; see the module for the rules.

    Repeated until nothing changes: a new word can put its neighbour into another light. It ends,
    because each round that changes anything removes a listed term and adds none.
    """
    while (masked := _pattern().sub(_replacement, text)) != text:
        text = masked
    return text


def mask_examples(examples: Sequence[Example]) -> tuple[list[Example], int]:
    """Return copies of `examples` with masked texts, and how many texts changed."""
    masked, changed = [], 0
    for example in examples:
        texts = tuple(mask_demographics(text) for text in example.texts)
        changed += sum(new != old for new, old in zip(texts, example.texts, strict=True))
        masked.append(dataclasses.replace(example, texts=texts))
    return masked, changed


def _replacement(match: re.Match[str]) -> str:
    """Return the neutral words for a match, or the match itself where no rule applies."""
    if match["subject"]:
        return _subject(match)
    if match["years"]:
        if not _said_of_person(match.string, match.end("old")):
            return match[0]  # "a 12 year old car"
        return _with_article(match, "some") + match["old"]
    entry = _entry_of(match)
    if entry is None:
        return match[0]
    told = _with_article(match, _placeholder(entry, match))
    apostrophe = match["possessive"] or ""
    return told + apostrophe + ("s" if apostrophe and told[-1] not in "sS" else "")


def _subject(match: re.Match[str]) -> str:
    """Replace "he" or "she" and let the verb beside it agree with "they"."""
    aux, gap = match["aux"] or "", match["aux_gap"] or ""
    if aux and _previous_word(match.string, match.start()).lower() in ("", *term_lists().openers):
        aux = _plural_verb(aux)
    told = aux + gap + in_case_of("they", match["subject"])
    if match["clitic"]:
        later = (match["later"] or "").strip().lower()
        return told + match["gap"] + match["clitic"][0] + ("ve" if later in AFTER_HAS else "re")
    if not match["verb"]:
        return told
    return told + match["space"] + (match["verb"] if aux else _plural_verb(match["verb"]))


def _plural_verb(verb: str) -> str:
    """Turn "is" into "are", "isn't" into "aren't", and "tries" into "try"."""
    lower = verb.lower()
    if lower in PLURAL_VERBS:
        return in_case_of(PLURAL_VERBS[lower], verb)
    if lower.endswith("t"):
        return _plural_verb(verb[:-3]) + verb[-3:]
    if lower.endswith("ies") and len(verb) > 4:
        return verb[:-3] + ("Y" if verb.isupper() else "y")
    return verb[: -2 if re.search("(?:ss|sh|ch|x|zz|o)es$", lower) else -1]


def _key_of(match: re.Match[str]) -> str:
    return re.sub(r"[\s-]+", " ", match["term"]).replace("’", "'")


def _entry_of(match: re.Match[str]) -> Term | None:
    """Return the first list's entry whose rule applies to the term."""
    key, lists = _key_of(match), term_lists()
    for entry in (lists.exact.get(key), lists.listed.get(key.lower())):
        if entry is not None and _applies(entry, key, match):
            return entry
    return None


def _applies(entry: Term, key: str, match: re.Match[str]) -> bool:
    """Tell whether the term stands for a group of people here."""
    text, start, end = match.string, match.start("term"), match.end("term")
    if entry.rule == "lower":
        return key.islower()
    if entry.rule == "name":
        return _NAME_NEXT.match(text, end) is not None
    if key.lower() in term_lists().languages and _is_language(text, start, end):
        return False
    if entry.rule == "people" and not _people_next().match(text, end):
        if _noun_follows(text, end):
            return False
        said_of_group = entry.category in ("age", "disability") and (
            _previous_word(text, start).lower() == "the"
        )
        return said_of_group or _I_AM.search(text[max(0, start - CONTEXT) : start]) is not None
    return entry.category != "gender" or not _is_name(key, text, start, end)


def _is_name(key: str, text: str, start: int, end: int) -> bool:
    """Tell whether a noun is a part of a name ("Wonder Woman") or of a compound ("man-made")."""
    if text[start - 1 : start] == "-" or re.compile(r"-\w").match(text, end):
        return True
    previous, lists = _previous_word(text, start), term_lists()
    return (
        key[0].isupper()
        and not key.isupper()
        and previous[:1].isupper()
        and previous.isalpha()
        and previous.lower() not in lists.function_words
        and previous.lower() not in lists.openers
        and previous.lower() not in lists.listed
        and not previous.isupper()
    )


def _is_language(text: str, start: int, end: int) -> bool:
    following = _NEXT_WORD.match(text, end)
    if following and following[1].lower() in term_lists().language_words:
        return True
    previous = _previous_word(text, start).lower()
    if previous in term_lists().speaking:
        return following is None or not _people_next().match(text, end) or following[1] in JOINERS
    return previous in ("in", "into", "to", "from") and not _noun_follows(text, end)


def _placeholder(entry: Term, match: re.Match[str]) -> str:
    """Choose between the placeholder before a noun and the one elsewhere."""
    if entry.before_noun == entry.alone:
        return entry.alone
    alone = not _noun_follows(match.string, match.end("term"))
    if entry.category != "pronoun":
        previous = _previous_word(match.string, match.start("term")).lower()
        never_predicate = entry.category == "age" and entry.alone == "person"  # "a shy teen"
        alone = alone and (never_predicate or previous in term_lists().determiners)
    return entry.alone if alone else entry.before_noun


def _noun_follows(text: str, end: int) -> bool:
    """Guess whether what follows continues a noun phrase."""
    following = _NEXT_WORD.match(text, end)
    return following is not None and following[1].lower() not in term_lists().function_words


def _said_of_person(text: str, end: int) -> bool:
    """Tell whether an age that ends at `end` stands alone or before a word for a person."""
    following = _NEXT_WORD.match(text, end)
    lists = term_lists()
    if following is None or following[1].lower() in lists.function_words | lists.listed.keys():
        return True
    return _people_next().match(text, end) is not None


def _previous_word(text: str, start: int) -> str:
    """Return what stands before `start` up to the blank before it; "" at the beginning."""
    return "".join(text[max(0, start - CONTEXT) : start].split()[-1:])


def _with_article(match: re.Match[str], placeholder: str) -> str:
    """Write the placeholder in the term's case, after the article it needs if there was one."""
    told = in_case_of(placeholder, match["term"] or placeholder)
    if not match["article"]:
        return told
    article = "an" if placeholder.startswith(VOWEL_SOUND) else "a"
    return in_case_of(article, match["article"]) + match["article_gap"] + told


def in_case_of(word: str, pattern: str) -> str:
    """Return `word` with the pattern's capitals: all of them, the first, or none."""
    if len(pattern) > 1 and pattern.isupper():
        return word.upper()
    return word[0].upper() + word[1:] if pattern[:1].isupper() else word
