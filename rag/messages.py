"""What an answer says when it can not answer, in the language of the question."""

from rag.types import Reason

FALLBACK = "en"

NOT_FOUND = {
    "ar": "لا تحتوي المستندات على إجابة لهذا السؤال.",
    "cs": "Dokumenty na tuto otázku neodpovídají.",
    "de": "Die Dokumente enthalten keine Antwort auf diese Frage.",
    "el": "Τα έγγραφα δεν περιέχουν απάντηση σε αυτή την ερώτηση.",
    "en": "The documents do not answer this question.",
    "es": "Los documentos no responden a esta pregunta.",
    "fr": "Les documents ne répondent pas à cette question.",
    "hi": "दस्तावेज़ों में इस प्रश्न का उत्तर नहीं है।",
    "hu": "A dokumentumok nem adnak választ erre a kérdésre.",
    "it": "I documenti non rispondono a questa domanda.",
    "ja": "文書にはこの質問への答えがありません。",
    "ko": "문서에 이 질문에 대한 답이 없습니다.",
    "nl": "De documenten geven geen antwoord op deze vraag.",
    "pl": "Dokumenty nie odpowiadają na to pytanie.",
    "pt": "Os documentos não respondem a esta pergunta.",
    "ro": "Documentele nu răspund la această întrebare.",
    "ru": "В документах нет ответа на этот вопрос.",
    "th": "เอกสารไม่มีคำตอบสำหรับคำถามนี้",
    "tr": "Belgeler bu soruyu yanıtlamıyor.",
    "uk": "У документах немає відповіді на це запитання.",
    "vi": "Các tài liệu không trả lời câu hỏi này.",
    "zh": "文档中没有这个问题的答案。",
}


# The reasons that have sentences of their own, where a language has them: the sentence above is
# true for these as well.
REASONS = {
    Reason.NOT_ANSWERED: {
        "de": "Die Dokumente behandeln das Thema, beantworten diese Frage aber nicht.",
        "en": "The documents speak of this subject, but do not answer this question.",
        "hu": "A dokumentumok szólnak a témáról, de erre a kérdésre nem adnak választ.",
        "ru": "В документах эта тема затронута, но ответа на этот вопрос нет.",
        "zh": "文档中提到了这个主题，但没有回答这个问题。",
    },
    Reason.SOURCES_DISAGREE: {
        "de": "Die Dokumente widersprechen sich in dieser Frage.",
        "en": "The documents disagree on this question.",
        "hu": "A dokumentumok ellentmondanak egymásnak ebben a kérdésben.",
        "ru": "Документы противоречат друг другу в этом вопросе.",
        "zh": "文档对这个问题的说法不一致。",
    },
}


def abstention(language: str, reason: Reason = Reason.NOTHING_RELEVANT) -> str:
    """Return the sentence that an abstaining answer consists of."""
    told = REASONS.get(reason, NOT_FOUND)
    if language in told:
        return told[language]
    # A general sentence in the asker's language says more than a particular one in another.
    return NOT_FOUND.get(language, told[FALLBACK])


PART_NOT_FOUND = {
    "de": "Teil {n} („{part}“): in den Dokumenten nicht gefunden.",
    "en": "Part {n} (“{part}”): not found in the documents.",
    "hu": "{n}. rész („{part}”): a dokumentumokban nem található.",
    "ru": "Часть {n} («{part}»): в документах не найдено.",
    "zh": "第{n}部分（“{part}”）：文档中未找到。",
}


def part_not_found(language: str, n: int, part: str) -> str:
    """Return what stands in an answer for the n-th part of a question, which is not answered."""
    return PART_NOT_FOUND.get(language, PART_NOT_FOUND[FALLBACK]).format(n=n, part=part)
