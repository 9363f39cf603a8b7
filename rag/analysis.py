"""Text to index terms, and the language of a text: one analyser for all languages.

Terms are made without word lists or grammars: a word counts by its first letters, which stands
in for stemming in inflected languages; text written without spaces counts by pairs of
characters. What is common everywhere ("the", "的") gets its low weight from IDF.
docs/decisions/0006-lexical.md has the measurements behind the choices.
"""

import math
import re
import unicodedata
from functools import cache

ANALYSIS_VERSION = 1
"""Goes up whenever `terms` changes; an index made by another version is not searched."""

PREFIX = 5
"""A word is told by this many of its first characters."""

# Han with its extensions, kana, bopomofo and Hangul: a character is about a syllable. Korean
# has spaces, but its words carry endings that a prefix would keep.
_PAIRED = (
    "\u3005-\u3007\u3041-\u312f\u3131-\u318e\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c"
    "\uac00-\ud7fb\uf900-\ufaff\U00020000-\U000323af"
)
# Thai, Lao, Myanmar and Khmer, without spaces too: a syllable is two characters or more.
_TRIPLED = "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ede\u1000-\u109f\u1780-\u17d3"
_UNSPACED = _PAIRED + _TRIPLED


def terms(text: str) -> list[str]:
    """Return the index terms of text in order, repeats kept.

    Words are cut to their first `PREFIX` letters, without case and without most accents;
    hyphens, apostrophes and the border of letters and digits part words. Han, kana and Hangul
    give overlapping pairs of characters, Thai and its kin triples, a shorter run itself.
    Grouped digits are joined ("1,600", "1 600" and "1600" are one term) and the decimal
    comma is a point.
    """
    found: list[str] = []
    for word, number, pairs, triples in _pattern().findall(_normalise(text)):
        if word:
            found.append(word[:PREFIX])
        elif number:
            found += _numbers(number)
        elif pairs:
            found += map(str.__add__, pairs, pairs[1:]) if len(pairs) > 1 else [pairs]
        else:
            found += [triples[i : i + 3] for i in range(max(1, len(triples) - 2))]
    return found


def numbers(text: str) -> set[str]:
    """Return the numbers of text as `terms` writes them: "1,600" is "1600", "3,14" is "3.14"."""
    matches = _pattern().findall(_normalise(text))
    return {number for _, found, *_ in matches if found for number in _numbers(found)}


def _normalise(text: str) -> str:
    if not text.isascii():
        # Typographic spaces inside a number are certain to group its digits.
        text = _GROUPING_SPACE.sub("", text)
        text = unicodedata.normalize("NFKC", text).translate(_folding())
        text = _ARABIC_ARTICLE.sub("", text)
    return text.casefold()


# Written with its noun, the article would be half of the prefix.
_ARABIC_ARTICLE = re.compile(r"\b(?:[وفبك]?ال|لل)(?=[\u0621-\u064a]{3})")
_GROUPING_SPACE = re.compile("(?<=[0-9])[\u00a0\u2009\u202f](?=[0-9]{3}(?![0-9]))")


@cache
def _pattern() -> re.Pattern[str]:
    number = (
        # An ordinary space groups digits only where no other number stands beside.
        r"(?<![\w.,])(?<![0-9][ ])[0-9]{1,3}(?:[ ][0-9]{3})+(?![ ]?[0-9])(?:[.,][0-9]+)?"
        r"|[0-9]+(?:[.,'’][0-9]+)*"
    )
    # \w leaves out the vowel signs of Indic scripts and of Arabic, which sit inside words.
    word = rf"[^\W0-9_{_UNSPACED}](?:[^\W0-9_{_UNSPACED}]|[{_marks()}])*"
    return re.compile(rf"({word})|({number})|([{_PAIRED}]+)|([{_TRIPLED}]+)")


@cache
def _marks() -> str:
    marks = (chr(c) for c in range(0x300, 0x1CFA) if unicodedata.category(chr(c))[0] == "M")
    return "".join(mark for mark in marks if not re.match(f"[{_UNSPACED}]", mark))


# Letters whose marks tell words apart: Vietnamese with tones, and the Cyrillic short i.
_KEPT = frozenset(map(chr, range(0x1EA0, 0x1EFA))) | frozenset("йЙ")


@cache
def _folding() -> dict[int, str]:
    """Return what single characters become: accents go, digits of every script become ASCII."""
    table = {}
    for code in range(0x80, 0x2000):
        char = chr(code)
        if char.isdecimal():
            table[code] = str(unicodedata.decimal(char))
        elif char.isalpha() and char not in _KEPT:
            table[code] = unicodedata.normalize("NFD", char)[0]
    for code in range(0x300, 0x370):
        table[code] = ""
    return table


def _numbers(number: str) -> list[str]:
    if number.isdigit():
        return [number]
    digits = number.replace(" ", "").replace("’", "'")
    if _GROUPED.fullmatch(digits):
        # The last separator is a decimal one only if it differs from the others.
        parts = re.split("[.,']", digits)
        if len(parts[-1]) != 3 or len(set(re.sub("[0-9]", "", digits))) > 1:
            return ["".join(parts[:-1]) + "." + parts[-1]]
        return ["".join(parts)]
    parts = re.split("[.,']", digits)
    return [".".join(parts)] if len(parts) == 2 else parts


_GROUPED = re.compile(r"[1-9][0-9]{0,2}([.,'])[0-9]{3}(?:\1[0-9]{3})*(?:(?!\1)[.,][0-9]+)?")


_SAMPLE = 2000
_LATIN = "a-zA-Z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff"
_SCRIPTS = {
    "han": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af",
    "kana": "\u3041-\u30ff\u31f0-\u31ff",
    "ko": "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3",
    "th": "\u0e01-\u0e4e",
    "lo": "\u0e81-\u0ede",
    "my": "\u1000-\u109f",
    "km": "\u1780-\u17d3",
    "cyrillic": "\u0400-\u052f",
    "arabic": "\u0620-\u06ff\u0750-\u077f",
    "devanagari": "\u0900-\u0963",
    "he": "\u05d0-\u05ea",
    "el": "\u0370-\u03ff\u1f00-\u1fff",
    "hy": "\u0531-\u0587",
    "ka": "\u10a0-\u10ff",
    "bn": "\u0980-\u09fe",
    "pa": "\u0a00-\u0a76",
    "gu": "\u0a80-\u0aff",
    "ta": "\u0b80-\u0bfa",
    "te": "\u0c00-\u0c7f",
    "kn": "\u0c80-\u0cf2",
    "ml": "\u0d00-\u0d7f",
    "si": "\u0d80-\u0df4",
}
# Characters to a word, in scripts that set no spaces.
_WORD_LENGTH = {"han": 2, "kana": 3, "th": 5, "lo": 5, "my": 5, "km": 5}
# For a script of several languages, those a text in it may have; but for Latin, the most usual
# comes first. py3langid knows many more, whose small differences win on short texts ("Why?" is
# Nigerian Pidgin to it).
_CANDIDATES = {
    "latin": "af az bs ca cs cy da de en es et eu fi fr ga gl hr hu id is it lt lv ms mt nl no pl "
    "pt ro sk sl sq sv sw tl tr uz vi",
    "cyrillic": "ru be bg kk ky mk mn sr tg tt uk",
    "arabic": "ar fa ur ps ug",
    "devanagari": "hi mr ne",
}
# Cyrillic languages that hardly write a sentence without one of these letters.
_TELLTALE = {
    "kk": "әғқңөұүһі",
    "ky": "ңөү",
    "mk": "ѓќѕјљњџ",
    "mn": "өү",
    "sr": "ђјљњћџ",
    "tg": "ғӣқӯҳҷ",
    "tt": "әөүҗңһ",
}
# Openings of questions that belong to one language; short questions have little else to go by.
_OPENINGS = {
    word: code
    for code, words in {
        "en": "what which who whose whom when where why how does did",
        "de": "warum weshalb welche welcher welches",
        "es": "cómo cuál quién qué cuándo",
        "fr": "pourquoi comment quelle quels quelles combien",
        "hu": "hogyan miért melyik mennyi hány",
        "ru": "что кто кого какой какая какое какие сколько почему зачем",
    }.items()
    for word in words.split()
}
_QUESTION_LENGTH = 200
# In natural-log units: what the usual language of a script is ahead by, where text is short.
_LEAD = 2.5


def language(text: str) -> str:
    """Return the ISO 639-1 code of the language that text is in, "und" when it has no words.

    Names and terms in Latin letters do not make a Russian or Chinese question English.
    """
    first = re.search(r"[^\W\d_]+", text[:_QUESTION_LENGTH])
    if first and len(text) <= _QUESTION_LENGTH and first[0].lower() in _OPENINGS:
        return _OPENINGS[first[0].lower()]
    middle = len(text) // 2
    sample = text[:_SAMPLE] + ("\n" + text[middle : middle + _SAMPLE] if middle > _SAMPLE else "")
    script, words = _script(sample)
    if script == "latin" and len(words) <= 2 and all(map(str.isupper, words)):
        return "und"  # GPT-3 is called that in every language.
    if script in _CANDIDATES:
        return _most_likely(script, " ".join(words))
    return {"han": "zh", "kana": "ja", "": "und"}.get(script, script)


def _most_likely(script: str, text: str) -> str:
    # Loaded here: the model takes a second to unpack.
    import py3langid

    candidates = _CANDIDATES[script].split()
    scores: dict[str, float] = dict(py3langid.rank(text))
    if script != "latin":
        scores[candidates[0]] += _LEAD
    letters = set(text.lower())
    likely = [c for c in candidates if c not in _TELLTALE or letters & set(_TELLTALE[c])]
    return max(likely, key=lambda code: scores.get(code, -math.inf))


@cache
def _script_words() -> dict[str, re.Pattern[str]]:
    return {name: re.compile(f"[{chars}]+") for name, chars in _SCRIPTS.items()}


def _script(text: str) -> tuple[str, list[str]]:
    """Return the script that carries the sentence, "" for none, and the words in it."""
    latin = re.findall(f"[{_LATIN}]+", text)
    words = {"latin": latin}
    sizes: dict[str, float] = {}
    for name, pattern in _script_words().items():
        if runs := pattern.findall(text):
            words[name] = runs
            length = _WORD_LENGTH.get(name)
            sizes[name] = sum(map(len, runs)) / length if length else len(runs)
    if not sizes:
        return ("latin" if latin else ""), latin
    if sizes.get("kana", 0) * 10 >= sizes.get("han", 0):
        sizes["kana"] = sizes.get("kana", 0) + sizes.pop("han", 0)
    best = max(sizes, key=lambda name: sizes[name])
    # Terms in Latin letters stand in sentences of every language, so it takes more of them.
    if len(latin) > 20 and sizes[best] * 1.5 < len(latin):
        best = "latin"
    return best, words.get(best, [])
