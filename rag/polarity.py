"""What a text denies: its clauses, each with the words in it and whether it is negated.

Only grammatical negation counts (not, без, nincs, kein, 没有), no opposites ("failed to",
"unable"), and none that is lexical or taken back at once: "not only", "не только", 不仅, 非常.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.analysis import terms
from rag.characters import flatten, lowered


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of a text between commas, conjunctions and full stops.

    Attributes:
        terms: what it is about, negations left out, as `rag.analysis.terms` writes them.
        hedged: has a word that denies without a negation ("fail", "kaum", 缺乏), so that its
            polarity conflicts with nothing.
        sentence: the number of the sentence that it is part of.
    """

    start: int
    end: int
    negated: bool
    hedged: bool
    terms: frozenset[str]
    sentence: int


def clauses(text: str) -> list[Clause]:
    """Return the clauses of text in order; those without a word are left out."""
    flat = lowered(flatten(text))
    found = []
    for sentence, start, end in _spans(flat):
        negated, rest = _without_negation(flat[start:end])
        if about := frozenset(terms(rest)):
            hedged = _IMPLICIT.search(rest) is not None
            found.append(Clause(start, end, negated, hedged, about, sentence))
    return found


_BORDER = re.compile(
    r"(?P<stop>\.(?=[\s\"'”»)]|$)|[!?。\n])"
    # Within a number these are followed by a digit; in Chinese no space follows.
    r"|[,;:](?=\s|$|[^\x00-\x7f])|(?<=[\u3400-\u9fff])[,;:]|[()、—]|(?<=\s)-(?=\s)"
    r"|(?<![\w'])(?:but|and|or|although|though|whereas|while|because|which|who|und|oder|aber"
    r"|sondern"
    r"|obwohl|weil|и|но|а|или|хотя|потому|és|de|vagy|hanem|pedig|mert|hogy|что)(?![\w'])"
    r"|但是|但|而且|然而"
)
_LEXICAL = re.compile(
    r"\bnot (?:only|just|merely|least|to mention|necessarily)\b|\bwhether or not\b|\bno (?:doubt"
    r"|less|later|fewer|longer than|more than)\b"
    r"|\bno\.|\bno (?=\d)|\bnever(?:theless|-ending)\b|\bif not\b|\bwhy not\b"
    r"|\bне (?:только|столько|менее|более|раз|просто)\b|\bтем не менее\b|\bне без\b"
    r"|\bкак бы то ни\b|\bво что бы то ни"
    r"|\bодин из\b|\bк(?:ак|то|уда|огда|акой)\w* (?:бы )?ни\b|\bчуть не\b|\bне мо\w+ не\b"
    r"|\bнельзя не\b|\bпока не\b"
    r"|\bnicht (?:nur|bloß|zuletzt|allein|umsonst)\b|\bwenn nicht\b|\bohne(?:hin|dies)\b"
    r"|\bnem ?csak\b|\bnem csupán\b|\bnemcsak\b|\bnem utolsósorban\b|\bha nem\b|\bsem(?=mi)"
    r"|不(?:同|仅|僅|但|断|斷|少|久|过|過|论|論|管|只|得不|禁|错|錯|良|安|幸|平|单|單|光|如|等|规|規|易|足|止|由|惜|已|妨"
    r"|必说|可或缺|可避免|动产|锈钢|稳|利|满|可思议|对称|透明|确定)"
    r"|[无無](?:论|論|数|數|线|線|机|機|疑|限|比|穷|私|产|辜|意|形|声|力|人机|氧|花果|政府|法无天|时无刻)"
    r"|非(?:常|洲|凡|得|裔|法|政府|营利|物质|典)|除非|莫非|是非|南非|北非|东非|西非|中非|并非不|[未](?:来|來|必不|知数|婚)"
    r"|没(?:收|落|药|罗)|沉没|淹没|埋没|出没|否(?:则|定|决|认)|是否|能否|可否|(?P<asked>[\u3400-\u9fff])不(?P=asked)"
    r"|有没有|勿忘"
)
_NEGATION = re.compile(
    r"n't\b|\bcan ?not\b|\b(?:not|no|never|none|nothing|nobody|nowhere|neither|nor|without"
    r"|ain't)\b"
    r"|\b(?:не|нет|ни|без|никогда|никто|никого|никому|ничего|ничто|никак\w*|нигде|никуда|нельзя"
    r"|невозможно|неверно)\b"
    r"|\b(?:nem|nincs|nincsenek|nincsen|sem|se|ne|soha|sohasem|sosem|senki\w*|semmi\w*|sehol"
    r"|nélkül|sincs|sincsenek|nélküli)\b"
    r"|\b(?:nicht|kein\w{0,2}|nie|niemals|niemand\w*|nichts|nirgends|nirgendwo|ohne|weder)\b"
    r"|[不没沒無无未非勿]"
)
_IMPLICIT = re.compile(
    r"\b(?:fail|lack|unable|un\w{4}|in(?:cap|suff|abil|ad)|im(?:poss|prop)|dis(?:a|c|l|p)|refus"
    r"|reject"
    r"|den(?:y|ie)|hardly|barely|scarcely|rarely|seldom|few|little|absen|prevent|avoid|free"
    r"|exclu|despite"
    r"|far from|instead|rather|against|non|too|only|except|unless|until|stop|cease|prohibit|ban"
    r"|forbid|lest)"
    r"|\b(?:kaum|fehl|mangel|un\w{4}|selten|verweiger|verhinder|vermeid|verbot|verbiet|statt"
    r"|außer|nur|wenig"
    r"|erst|gegen)|los(?:e[nrsm]?)?\b|frei\b"
    r"|\b(?:отсутств|нехват|недост|невоз|едва|редко|лишь|только|отказ|запре|избе|лиш|против"
    r"|кроме|вместо"
    r"|мало|не[а-я]{4})|\b(?:hiány|alig|ritkán|csupán|csak|tilt|tilos|elkerül|helyett|kivéve"
    r"|megtagad|ellen)"
    r"|(?:tlan|tlen|talan|telen|atlan|etlen)\w{0,5}\b"
    r"|缺|失|难|難|拒|禁|免|反|只|仅|罕|少|避|除|别|勿|防|停|否"
)


def _spans(flat: str) -> Iterator[tuple[int, int, int]]:
    sentence = at = 0
    for border in _BORDER.finditer(flat):
        if border.start() > at:
            yield sentence, at, border.start()
        at = border.end() if not border[0].isalpha() else border.start()
        at = max(at, border.start())
        sentence += border["stop"] is not None
    if at < len(flat):
        yield sentence, at, len(flat)


def negations(text: str) -> list[tuple[int, int]]:
    """Return the spans of the words of a text that negate, and are not taken back at once."""
    return _negations(lowered(flatten(text)))


def _negations(flat: str) -> list[tuple[int, int]]:
    kept = _LEXICAL.sub(lambda match: " " * len(match[0]), flat)
    return [match.span() for match in _NEGATION.finditer(kept)]


def _without_negation(flat: str) -> tuple[bool, str]:
    """Return whether a lowered text is negated, and what is left without the negations."""
    found = _negations(flat)
    rest = list(flat)
    for start, end in found:
        rest[start:end] = " " * (end - start)
    return bool(found), "".join(rest)


__all__ = ["Clause", "clauses", "negations"]
