"""What gives a follow-up question away, in en, zh, ru, hu and de: patterns, nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cues:
    """What gives a follow-up away in one language; patterns, case ignored.

    Attributes:
        connective: an opening that goes on from what was said.
        about: an opening that names only what the question is now about.
        clause: a word without which a text is no sentence; with it, it is no fragment.
        preposition: one that may open a fragment.
        bare: whole requests without a subject.
        pronoun: a pronoun that has nothing in its own question to stand for.
        subject: what of a pronoun can be replaced by a name, as it is; empty where words inflect.
        person: pronouns that stand for people.
    """

    connective: str
    about: str
    clause: str
    preposition: str
    bare: str
    pronoun: tuple[str, ...]
    subject: str
    person: str


_AUX_EN = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might)"
_WH_EN = (
    r"(?:(?:in|on|at|for|from|to|by|of|with|since|until) )?(?:what|which|who|whom|when"
    r"|where|why|how)"
)
_WH_DE = (
    r"(?:(?:in|an|auf|für|aus|von|zu|mit|seit|bis) )?"
    r"(?:was|wer|wen|wem|wann|wo|woher|wohin|warum|wieso|wie|welche[rsnm]?)"
)
_WH_RU = (
    r"(?:(?:в|на|из|от|с|до|о|у|к|по|за) )?"
    r"(?:что|кто|кого|кому|кем|чем|чего|когда|где|куда|откуда|почему|зачем|как|как(?:ой|ая|ое|ие"
    r"|ого"
    r"|ую|их|им|ом)|каков[аы]?|сколько|ч(?:ей|ья|ьё|ье|ьи))"
)
_TIME_RU = r"(?! (?:год|месяц|век|день|дн|недел|время))"

CUES = {
    "en": Cues(
        connective=r"(?:and|but|also|so|then|or)\b,?",
        about=r"(?:(?:and|but|so) )?(?:what|how) about\b",
        clause=rf"\b(?:{_AUX_EN}|am|be|what|which|who|when|where|why|how|tell|explain|describe"
        rf"|list)\b",
        preposition=r"(?:in|for|with|on|at|by|from|without|after|before|since|until|under"
        r"|during)\b",
        bare=r"(?:please )?(?:tell me more|say more|more details?|go on|continue|elaborate|explain"
        r"(?: (?:more|further|again))?|(?:can|could) you (?:explain|elaborate|say more|tell me"
        r" more)"
        r"(?: (?:more|further))?|what else|who else|where else|anything else|how come|how so"
        r"|(?:an )?examples?|for example|for instance|which ones?|since when|really"
        r"|(?:what|which) (?:about|of) (?:it|them)|are you sure)(?: please)?",
        pronoun=(
            rf"^(?:{_WH_EN} (?:\S+ ){{0,3}})?{_AUX_EN}(?:n't)? (?:also )?(?:he|she|they)\b",
            rf"^(?:{_WH_EN} (?:\S+ ){{0,3}})?{_AUX_EN}(?:n't)? (?:also )?it\b"
            r"(?! (?:\S+ ){0,4}(?:to|that|when|if|for)\b)",
            rf"^(?:{_WH_EN} )?(?:{_AUX_EN} )?(?:its|their|his|her)\b",
            r"^(?:in|on|at) (?:what|which) \w+ (?:did|was|were|is|does) (?:its|their|his|her)\b",
            rf"^{_WH_EN} (?:is|was|are|were) the \w+ of (?:it|its|them|their|his|him|her)\b",
            rf"^(?:who|what)(?: else| first)? (?!{_AUX_EN}\b|does)\w+ (?:it|them|him|her)\b",
            rf"\b{_AUX_EN} (?:you|we|i|one|people) \w+ (?:it|them)\b",
            r"^how (?:many|much)(?: more)? of (?:them|it|those|these|that)\b",
            r"\b(?:the latter|the former(?= (?:is|was|are|were|do|does|did|has|have)\b|\W*$))",
            r"\b(?:this|these)\b(?! (?:year|month|week|century|day|morning|evening)\b)",
            rf"^(?:{_WH_EN} )?{_AUX_EN} (?:that|those)\b(?! \w+ (?:\w+ )*(?:that|which|who)\b)",
            r"^[^,]*(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )\b(?:there|then|about that|of"
            r" that)\W*$",
        ),
        subject=r"\b(it|he|she|they|them|him|its|their|his)\b(?!['’])",
        person=r"\b(?:he|she|him|his|her)\b",
    ),
    "de": Cues(
        connective=r"(?:und|aber|also|dann|oder|auch)\b,?",
        about=r"(?:(?:und|aber) )?(?:was ist mit|wie (?:sieht|steht) es mit|wie ist es mit|was"
        r" gilt für)\b",
        clause=r"\b(?:ist|sind|war|waren|hat|haben|hatte|hatten|wird|werden|wurde|wurden|kann"
        r"|können"
        r"|konnte|soll|muss|was|wer|wen|wem|wann|wo|warum|wieso|weshalb|wie|welche[rsnm]?|gibt)\b",
        preposition=r"(?:in|im|für|mit|auf|bei|aus|von|ohne|nach|vor|seit|bis|unter|während|am)\b",
        bare=r"(?:bitte )?(?:mehr dazu|erzähl(?:e|en sie)? mehr(?: dazu)?|genauer|weiter|was noch"
        r"|wer noch|wo noch|sonst noch (?:was|etwas)|zum beispiel|ein beispiel|wieso das|warum das"
        r"|wie das|welche|seit wann|erklär(?:e|en sie)?(?: das)?(?: genauer)?)(?: bitte)?",
        pronoun=(
            rf"^(?:{_WH_DE} (?:\S+ ){{0,3}})?(?:ist|sind|war|waren|hat|haben|hatte|hatten|wird"
            rf"|werden"
            r"|wurde|wurden|kann|konnte|muss|soll|lebte|starb|dauert|dauerte|kostet|kostete|besitzt"
            r"|bedeutet|funktioniert|heißt|liegt|wiegt|entstand|arbeitete|braucht|enthält)"
            r" (?-i:er|sie|es|ihn|ihm)\b(?! (?:\S+ ){0,6}(?:zu|dass|bis|wenn|ob)\b)(?![^,]*,)",
            rf"^{_WH_DE} (?:ist|sind|war|waren|heißt|heißen|lautet) (?-i:seine[rsnm]?|sein"
            rf"|ihre?[rsnm]?)\b",
            r"^(?:wer|was)(?: noch)? \w+ (?-i:ihn|sie|es|ihm|ihnen)\b(?![^,]*,)(?! sich\b)",
            rf"^{_WH_DE} (?:viele )?(?:\w+ )?(?:davon|dafür|damit|darin|dazu|daran|darüber"
            rf"|dagegen)\b(?!,)",
            r"^(?:wie viele|welche) von (?:ihnen|denen|diesen)\b",
            r"(?<!\bin )(?<!\ban )(?<!,)(?<!, )\b(?:diese[rsnm]?)\b(?! (?:jahr|monat|woche"
            r"|jahrhundert|tag))",
            rf"^(?:{_WH_DE} )?(?:ist|war|bedeutet|funktioniert|heißt|geschieht|passiert|geht)"
            rf" (?:das|dies)"
            r"(?:\W*$| (?:wichtig|so|genau|möglich|richtig|falsch|eigentlich))",
            r"^[^,]*\bdort\b[^,]*$",
        ),
        subject=r"(?-i:\b(er|sie|es|ihn)\b)",
        person=r"(?-i:\b(?:er|sie|ihn|ihm|sein|seine|ihr|ihre)\b)",
    ),
    "hu": Cues(
        connective=r"(?:és|na és|hát|vagy|akkor|aztán|de)\b,?",
        about=r"(?:(?:és|na és|de) )?(?:mi a helyzet|mi van|mi újság)(?= )",
        clause=r"\b(?:van|vannak|volt|voltak|lesz|lehet|kell|mi|mit|ki|kik|kit|mikor|hol|hova"
        r"|honnan"
        r"|miért|hogyan|melyik|mennyi|hány|milyen|mekkora|tart|jelent|működik)\b",
        preposition=r"(?!)",
        bare=r"(?:kérem )?(?:mondj(?:on)? (?:még )?többet|bővebben|részletesebben|folytasd|mi"
        r" más|mi még"
        r"|ki más|hol máshol|például|egy példát|mióta|melyik|melyek|hogyhogy|miért is"
        r"|magyarázd el)(?: kérem)?",
        pronoun=(
            r"^(?:\S+ ){0,3}(?:ő|ők|őt|őket|neki|nekik|róla|róluk|vele|velük|benne|bennük|belőle"
            r"|belőlük|tőle|tőlük|hozzá|nála|rajta|rajtuk|közülük)\b(?!,)",
            r"^(?:\S+ ){0,3}(?:azt|annak|abban|abból|ahhoz|azok|azokat|azoknak|ezt|ennek|ebben"
            r"|ebből"
            r"|ehhez|ezek|ezeket|ezeknek)\b(?! an?z?\b)(?![^?]*,)",
            r"^(?:(?:mi|mit|mikor|hol|miért|hogyan|ki|milyen|mennyi|mekkora) )(?:\w+ )?ez\b(?!"
            r" (?:a|az)\b)",
            r"\bez(?:t|ek|en|zel)? (?:a|az) (?!évben|hónapban|héten|században)",
            # "Hány rétege van?": a possessive ending, and nobody who possesses.
            r"^(?:hány|mennyi|milyen|mekkora) \w+(?:[jtnlrgkzsdm][ae]|[ae]i) (?:van|volt|lesz)\W*$",
            # "Mennyi memóriát igényel?": an object, and no subject.
            r"^(?:hány|mennyi|milyen|mekkora) \w+t \w+\W*$",
            r"^[^,]*\bott\W*$",
        ),
        subject="",
        person=r"\b(?:ő|őt|neki|róla|vele)\b",
    ),
    "ru": Cues(
        connective=r"(?:а|и|но|ну|или|тогда|также)\b,?",
        about=r"(?:(?:а|и|но|ну) )?(?:(?:как|что) насч[её]т|а как с)\b",
        clause=rf"\b(?:{_WH_RU}|есть|был|была|было|были|будет|расскажи|объясни)\b",
        preposition=r"(?:в|во|на|для|с|со|у|без|после|до|из|от|при|по|про|о|об)\b",
        bare=r"(?:пожалуйста )?(?:подробнее|расскажи(?:те)?(?: (?:мне )?(?:подробнее|больше|ещё"
        r"|еще))?"
        r"|продолжай(?:те)?|что ещё|что еще|кто ещё|кто еще|где ещё|где еще|например"
        r"|приведи(?:те)? пример"
        r"|пример|с каких пор|какие|какой|какая|поясни(?:те)?|объясни(?:те)?(?: подробнее)?)(?:"
        r" пожалуйста)?",
        pronoun=(
            rf"^(?:{_WH_RU} )(?:\S+ ){{0,3}}(?:у |в |о |об |на |с |к |от |из |для |про |по |за )?"
            r"(?:он|она|оно|они|его|её|ее|ему|ей|им|их|ими|него|неё|нее|ней|нём|нем|ним|них"
            r"|ними)\b(?!,)",
            r"^(?:у|в|о|на|с|к|от|из|для|про|по) (?:него|неё|нее|ней|нём|нем|ним|них|ними)\b",
            rf"^(?:{_WH_RU} )(?:\S+ )?(?:это|этого|этому|этим|этом)\b(?! (?:за|то)\b)(?!,)"
            + _TIME_RU,
            r"\b(?<!\bв )(?:этот|эта|эту|эти|этой|этих|этими|этого|этому|этим|этом)\b"
            r"(?! (?:год|месяц|век|день|дн|недел|врем))(?!,)",
            r"^[^,]*\b(?:там|тогда)\W*$",
        ),
        subject="",
        person=r"\b(?:он|она|его|её|ее|ему|ей)\b",
    ),
    "zh": Cues(
        connective=r"(?:那么|而且|还有|另外|此外|那(?=[,，]|在|对|为|怎|什|谁|哪|如|多|有|是|它|他|她|这))[,，]?",
        about=r"(?:那么|那)?(?:至于|关于)?(?=[^，。]{1,12}呢[?？]*$)",
        clause="什么|谁|哪|如何|怎|为何|多少|几|何时|是|有|吗|多[大长久高远]",
        preposition="(?:在|用|对|从|对于|关于)",
        bare="(?:请)?(?:继续|详细说说|详细一点|说详细点|再说说|还有呢|还有什么|还有吗|举个?例子?|比如|例如|然后呢"
        "|为什么呢|怎么说|解释一下|展开说说)",
        pronoun=(
            "^(?:请问|那么|那|而|为什么|为何|谁|什么|什么时候|何时|哪里|哪个|哪些|哪一年|怎么|如何|怎样|多少|有多少"
            "|是谁|有哪些|是什么|在|是|有|对|用|和|与)*(?:.{0,3}(?<![和与及]))?"
            "(?:它们|他们|她们|它|(?<!其)他|她|前者|后者)(?!国|乡|人|杀)",
            "^(?:请问|那么|那|为什么|为何|谁|怎么|如何|怎样|在|对|用)*"
            "(?:这(?!样的)|那(?:个|些|种|里|时|位|部|座)|该(?=[^不])|此(?!外|后|前)|其(?![他它中余次实]))",
            "^(?:有)?(?:多少|哪些|哪个|几个)(?:是|属于|来自)?(?:其中)",
            "^其中",
            "^为什么.{1,2}$",
        ),
        subject="(它们|他们|她们|它|他|她)",
        person="他|她",
    ),
}
