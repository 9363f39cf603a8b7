"""What an answer says when it can not answer, in the language of the question."""

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


def abstention(language: str) -> str:
    """Return the sentence that an abstaining answer consists of."""
    return NOT_FOUND.get(language, NOT_FOUND[FALLBACK])


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
