"""Turning a sentence into its denial by rule, in five languages.

Each rule puts a negation where it denies the sentence's predicate, or takes the only one out.
Sentences that no rule fits give nothing: a wrong denial would be a wrong label.
"""

import re
from collections.abc import Iterator

Rule = tuple[str, str]

_INSERT: dict[str, tuple[Rule, ...]] = {
    "en": (
        (r"\b(was|were|is|are|can|could|will|would|should|must|has been|have been|had been)\b"
         r"(?! (?:not|only|never|no|also|often|usually|sometimes|any|nothing|one of|at least)\b)"
         r"(?= \w)", r"\1 not"),
    ),
    "de": (
        (r"\b(ist|war|sind|waren) (ein|eine|einen|einer|einem)\b(?! (?:paar|wenig|bisschen))",
         r"\1 k\2"),
        (r"\b(wurde|wurden|ist|war|sind|waren|kann|können|konnte|konnten|wird|werden)\b"
         r"(?! (?:nicht|nur|nie|kein\w*|auch|oft|manchmal|sich|er|sie|es|man|die|der|das|den|dem"
         r"|ein\w*|daher|jedoch|also|dann|dort|zu|von)\b)(?= \w)",
         r"\1 nicht"),
    ),
    "ru": (
        (r"(?<!не )(?<!ни )(?<!бы )(?<!бы)\b(был|была|было|были|является|являются|может|могут|"
         r"имеет|имеют|стал|стала|стали|находится|находятся|состоит|включает|включают|получил|"
         r"получила|получили|содержит|начал|начала|начали|использует|используют|позволяет|"
         r"составляет|составляла|составлял|требует|получает)\b"
         r"(?! (?:не|ни|бы|ли|только|лишь)\b)(?= \w)", r"не \1"),
    ),
    "hu": (
        (r"(?<!nem )(?<!sem )\bvan\b(?= \w|[.,])", "nincs"),
        (r"(?<!nem )(?<!sem )\bvannak\b(?= \w|[.,])", "nincsenek"),
        (r"(?<!nem )(?<!sem )(?<!ne )(?<!is )\b(volt|voltak|lett|lettek|készült|tanult|kapott|"
         r"használ|használt|született|történt|található|lehet|kell|kellett|elég|tartalmaz|"
         r"jelent|jelenti|áll|állt|ad|adja|adta|okoz|okozott|igényel|működik|dolgozik|fog|"
         r"érkezett|nyerte|nyert|írta|írták|írt|kapta|kapták|tartja|mérik|tanítják|végezte|"
         r"vezette|vezeti|készítette|fontos|hal|halt|él|élt|tagja|vezetője|elnöke|fővárosa)\b"
         r"(?=[ .,])", r"nem \1"),
    ),
    "zh": (
        (r"(?<![不就还也都但可于而或算只总要更正若凡])是(?![否不非])(?=\S)", "不是"),
        (r"(?<![没未不曾])被(?!告|动|子|迫|捕者)", "没有被"),
        (r"(?<![没不未])(成为|发现|建立|参加|获得|赢得|出现|击败|通过了|导致)(?=\S)", r"没有\1"),
        (r"(?<![不])(位于|属于|包括|包含|可以|需要|能够)(?=\S)", r"不\1"),
        (r"(?<![没拥所具只含还未独仅现持享占])有(?![效关限时的些人所机利害权名限])(?=\S)", "没有"),
    ),
}  # fmt: skip

_REMOVE: dict[str, tuple[Rule, ...]] = {
    "en": (
        (r"\b(was|were|is|are|can|could|will|would|should|must|did|does|do|has|have|had) not"
         r"(?! (?:only|just|merely|necessarily|all|every|always)\b) ", r"\1 "),
        (r"\bcannot (?!only)", "can "),
        (r"\b(was|were|is|are|could|would|should|did|does|do|has|have|had)n['’]t ", r"\1 "),
        (r"\bnever ", ""),
    ),
    "de": (
        (r"(?<![Aa]uch )(?<!, )\bnicht (?!nur|immer|alle|mehr|unbedingt|zuletzt|so )", ""),
        (r"\bkein(e|en|er|em|es)?\b (?!mehr|anderer|andere)", r"ein\1 "),
    ),
    "ru": (
        (r"\b[Нн]е (?=(?:был|была|было|были|является|являются|может|могут|имеет|имеют|стал|"
         r"смог|удалось|хотел|хватает|зависит|требует|нужен|нужна|нужно|содержит|включает|"
         r"умеет|знает|видит|помогает|меняет|растёт)\w*)", ""),
    ),
    "hu": (
        (r"\bnem (?=(?:volt|lett|tudja|tudott|kell|lehet|fogja|fog|akar|számol|okoz|elég|"
         r"változ|sikerül|támogat|vett|történt|találtak|igaz|szerepel)\w*)", ""),
        (r"\bnincs\b(?! meg)", "van"),
        (r"\bnincsenek\b", "vannak"),
    ),
    "zh": (
        (r"不是(?!吗|很)", "是"),
        (r"没有(?=被|成为|获得|参加|使用)", ""),
        (r"没有(?!被|成为|获得|参加|使用)", "有"),
        (r"不(?=能|需要|可以|会|包括|包含|属于)(?!能不)", ""),
        (r"无法", "可以"),
    ),
}  # fmt: skip

_NEGATED = {
    "en": r"n['’]t\b|\b(?:not|no|never|none|neither|nor|cannot|without|nothing|hardly)\b",
    "de": r"\b(?:nicht|kein\w*|nie|niemals|ohne|weder|nichts|niemand)\b",
    "ru": r"\b(?:не|нет|ни|нельзя|никогда|никто|ничего|без)\b",
    "hu": r"\b(?:nem|nincs|nincsenek|sem|se|soha|ne|nélkül|senki|semmi)\b",
    "zh": r"[不没無无未非]",
}


def denials(sentence: str, language: str) -> Iterator[str]:
    """Yield the sentence with its only negation taken out, or with one put in.

    A sentence that holds negations already gets no second one, and loses one only when it
    holds no other.
    """
    found = re.findall(_NEGATED[language], sentence, re.IGNORECASE)
    if len(found) > 1:
        return
    rules = _REMOVE if found else _INSERT
    for pattern, replacement in rules[language]:
        changed = re.sub(pattern, replacement, sentence, count=1)
        if changed != sentence:
            yield changed[:1].upper() + changed[1:]
            return
