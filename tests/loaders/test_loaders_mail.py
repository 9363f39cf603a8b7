"""Mail: headers of every encoding, which body is read, attachments, and mailboxes."""

import mailbox
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import LoadError
from rag.loaders import load
from rag.types import Parsed
from tests.loaders.loader_files import FILES, by_page, sections, write
from tests.loaders.test_loaders_properties import FEW, attempt, check


def eml(tmp_path: Path, content: str | bytes) -> Parsed:
    """Load content as a message called a.eml."""
    return load(write(tmp_path / "a.eml", content))


def multipart(kind: str, *parts: str) -> str:
    """Return a part that holds others."""
    inner = "".join(f"--{kind}\n{part}\n" for part in parts)
    return f"Content-Type: multipart/{kind}; boundary={kind}\n\n{inner}--{kind}--\n"


PLAIN = "Content-Type: text/plain\n\nplain body\n"
HTML = "Content-Type: text/html\n\n<h1>Top</h1><p>html body<header>in it</header>\n"
PDF = 'Content-Type: application/pdf; name="a.pdf"\n\nJVBERi0=\n'


# -- real files -------------------------------------------------------------------------------


def test_a_hungarian_message_with_attachments() -> None:
    """ISO 8859-2: the plain part is read, the quoted reply kept, attachments only named."""
    parsed = load(FILES / "hungarian.eml")
    assert parsed.text == (
        "Subject: Jelentés a folyó méréséről\nFrom: Kovács Ágnes <agnes@example.org>\n"
        "To: Nagy Béla <bela@example.org>\nDate: Wed, 01 May 2024 10:00:00 +0200\n\n"
        "Kedves Béla!\n\nA Duna vízszintje 312 cm.\n\n> Mennyi a vízszint?\n> Béla\n\n"
        "Üdv,\nÁgi\n\nAttachments: mérés.pdf (application/pdf), adat.csv (text/csv)"
    )
    assert parsed.title == "Jelentés a folyó méréséről"
    assert parsed.metadata == {
        "from": "Kovács Ágnes <agnes@example.org>", "to": "Nagy Béla <bela@example.org>",
        "date": "2024-05-01",
    }  # fmt: skip


def test_a_chinese_message_in_html() -> None:
    """What is hidden is not read; the subject is above the headings of the page."""
    parsed = load(FILES / "chinese.eml")
    assert parsed.text == (
        "Subject: 关于语言模型的会议\nFrom: 王小明 <wang@example.org>\nTo: list@example.org\n"
        "Cc: 李四 <li@example.org>\nDate: Thu, 02 May 2024 09:30:00 +0800\n\n"
        "议程\n\n会议将于下午三点开始。\n\n时间 | 15:00"
    )
    assert sections(parsed) == [
        (1, "关于语言模型的会议", "Subject: 关于语言模型的会议"),
        (2, "议程", "议程"),
    ]
    assert parsed.metadata["cc"] == "李四 <li@example.org>"


def test_a_russian_message_of_odd_encodings() -> None:
    """Bare KOI8-R in headers, a character parted between encoded words, an unknown charset."""
    parsed = load(FILES / "eight-bit.eml")
    assert parsed.text == (
        "Subject: Приветмир\nFrom: Иван Петров <ivan@example.org>\nTo: Анна <anna@example.org>\n"
        "Date: Fri, 3 May 24 12:00 MSK\n\n"
        "Здравствуйте! Отчёт о работе модели готов, посмотрите его, пожалуйста."
    )
    assert parsed.metadata["date"] == "2024-05-03"


def test_a_mailbox_of_the_standard_library() -> None:
    """English and Russian: a message a page, its subject a heading, quoting of From undone."""
    parsed = load(FILES / "mailbox.mbox")
    first, second = by_page(parsed)
    assert parsed.unit == "message"
    assert first == (
        "Subject: Meeting notes\nFrom: Ann <ann@example.org>\nTo: Bob <bob@example.org>\n"
        "Date: Mon, 06 May 2024 08:00:00 +0000\n\nDear Bob,\n\n"
        "the model was trained for 12 hours.\n\nFrom now on we log each run.\n\nAnn"
    )
    assert second.endswith(
        "Средняя ошибка равна 0,12.\n\n> Какова ошибка?\n\nAttachments: график.png (image/png)"
    )
    assert parsed.pages == (0, 199)
    assert sections(parsed) == [
        (1, "Meeting notes", "Subject: Meeting notes"),
        (1, "Отчёт", "Subject: Отчёт"),
    ]


def test_a_mailbox_as_thunderbird_writes_it() -> None:
    """Hungarian, \\r\\n, HTML; without a subject the sender is the heading; the last is cut off."""
    parsed = load(FILES / "thunderbird.mbox")
    assert by_page(parsed) == [
        "Subject: Vízállás\nFrom: Nagy Béla <bela@example.org>\n"
        "Date: Wed, 08 May 2024 09:00:00 +0200\n\nNapi jelentés\n\nA vízállás 318 cm.",
        "From: nobody@example.org\n\nNo subject here.",
        "From: nobody@example.org\n\nCut off in the middle, >From the start.\n"
        "From here on it was quoted.",
    ]
    assert [(level, title) for level, title, _ in sections(parsed)] == [
        (1, "Vízállás"),
        (3, "Napi jelentés"),
        (1, "nobody@example.org"),
        (1, "nobody@example.org"),
    ]


def test_a_mailbox_of_eight_bit_messages() -> None:
    """Chinese in GB 18030, the subject too; a message of nothing is an empty page."""
    parsed = load(FILES / "eight-bit.mbox")
    assert by_page(parsed) == [
        "Subject: 会议记录\nFrom: wang@example.org\nDate: Thu, 09 May 2024 10:00:00 +0800\n\n"
        "模型训练完成，误差为百分之三。",
        "",
    ]


# -- which part is read -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (multipart("alternative", PLAIN, HTML), "plain body"),
        (multipart("alternative", HTML, PLAIN), "plain body"),
        (multipart("alternative", "Content-Type: text/plain\n\n \n", HTML),
         "Top\n\nhtml body\n\nin it"),
        (multipart("mixed", PLAIN, PDF, PLAIN), "plain body\n\nplain body\n\n"
         "Attachments: a.pdf (application/pdf)"),
        (multipart("alternative", PLAIN, multipart("mixed", HTML, PDF)),
         "plain body\n\nAttachments: a.pdf (application/pdf)"),
        (multipart("mixed", "Content-Type: text/plain\nContent-Disposition: attachment;"
                   "\n filename*=utf-8''%C5%90.txt\n\nx\n"), "Attachments: Ő.txt (text/plain)"),
        (multipart("mixed", "Content-Disposition: attachment\n\nx\n"),
         "Attachments: unnamed (text/plain)"),
        (multipart("mixed", "Content-Type: message/rfc822\n\nSubject: inner\n\nunread\n", PLAIN),
         "plain body\n\nAttachments: inner (message/rfc822)"),
        (multipart("related", HTML, "Content-Type: image/png\nContent-ID: <a>\n\nx\n"),
         "Top\n\nhtml body\n\nin it"),
        ("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nAAECAwQFBgcICQ==\n",
         "Attachments: a body that is no text (text/plain)"),
        ("Content-Type: text/html\n\n<meta charset=cp1251><p>\udccf\udcf0\udce8\udce2\udce5\udcf2",
         "Привет"),
    ],
)  # fmt: skip
def test_the_part_that_is_read(part: str, text: str, tmp_path: Path) -> None:
    """Plain before HTML, all inline texts, attachments by name, pictures of a layout not."""
    content = f"Subject: s\n{part}".encode("utf-8", "surrogateescape")
    parsed = eml(tmp_path, content)
    assert parsed.text == f"Subject: s\n\n{text}"
    check(parsed)


def test_headings_of_several_parts_begin_their_lines(tmp_path: Path) -> None:
    """Offsets count into the whole message."""
    parsed = eml(tmp_path, "Subject: s\n" + multipart("mixed", HTML, PLAIN, HTML))
    assert sections(parsed) == [(1, "s", "Subject: s"), (2, "Top", "Top"), (2, "Top", "Top")]


@pytest.mark.slow
def test_a_header_without_end_is_cut(tmp_path: Path) -> None:
    """The standard library takes the square of its length to decode it."""
    parsed = eml(tmp_path, "Subject: " + "=?utf-8?q?a?= " * 200_000 + "\n\nbody\n")
    assert parsed.text.endswith("\n\nbody") and len(parsed.text) < 20_000


@pytest.mark.slow
def test_a_large_attachment_is_not_in_the_text(tmp_path: Path) -> None:
    """Ten megabytes of base64 leave a name."""
    data = "QUJD" * 18 + "\n"
    big = 'Content-Type: application/zip; name="a.zip"\n\n' + data * 140_000
    parsed = eml(tmp_path, "Subject: s\n" + multipart("mixed", PLAIN, big))
    assert parsed.text == "Subject: s\n\nplain body\n\nAttachments: a.zip (application/zip)"


@pytest.mark.slow
def test_a_huge_page_in_a_mail_is_named(tmp_path: Path) -> None:
    """The message is found by its headers and plain parts; what was not read is said."""
    page = "Content-Type: text/html\n\n" + "<p>text</p>\n" * 1_500_000
    parsed = eml(tmp_path, "Subject: s\n" + multipart("mixed", PLAIN, page))
    told = "Attachments: a body of 17 MiB, not read (text/html)"
    assert parsed.text == f"Subject: s\n\nplain body\n\n{told}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.eml", "Just a text.\n\nOf two lines.\n", "is no mail message"),
        ("a.eml", "X-Other: 1\n\ntext\n", "is no mail message"),
        ("a.mbox", "Subject: one message\n\ntext\n", "is no mailbox"),
        ("a.mbox", "From here at 10:30\nno header\n", "is no mailbox"),
        ("a.mbox", "text\nFrom a@b Sat Jan  3 01:05:34 1996\nSubject: x\n\ny\n", "is no mailbox"),
        ("a.eml", "Subject: x\n" + "".join(
            f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(2000)
        ), "could not be read as eml"),
    ],
)  # fmt: skip
def test_what_is_no_mail_is_refused(name: str, content: str, told: str, tmp_path: Path) -> None:
    """One line with a remedy, whatever is under the name."""
    with pytest.raises(LoadError, match=told) as caught:
        load(write(tmp_path / name, content))
    assert "\n" not in str(caught.value)


def test_too_many_messages_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of pages is bounded."""
    monkeypatch.setattr("rag.loaders.mbox.MAX_PAGES", 1)
    message = "From a@b Sat Jan  3 01:05:34 1996\nSubject: x\n\ny\n\n"
    with pytest.raises(LoadError, match="holds 2 messages; at most 1"):
        load(write(tmp_path / "a.mbox", message * 2))


# -- properties -------------------------------------------------------------------------------

LINES = st.lists(st.sampled_from(["From me at 10:30", "a: b", "> quoted", "", "слово", "--b"]))


@pytest.mark.slow
@FEW
@given(mails=st.lists(st.tuples(st.sampled_from(["Hi", "Отчёт", "语言模型", "ő" * 90]), LINES),
                      min_size=1, max_size=5))  # fmt: skip
def test_what_the_standard_library_writes_is_read(
    mails: list[tuple[str, list[str]]], tmp_path: Path
) -> None:
    """Every message is the page of its number, with its subject and its lines."""
    path = tmp_path / "a.mbox"
    path.unlink(missing_ok=True)
    box = mailbox.mbox(str(path))
    for subject, lines in mails:
        message = EmailMessage()
        message["Subject"] = subject
        message.set_content("\n".join(lines) + "\n")
        box.add(message)
    box.close()
    parsed = load(path)
    check(parsed)
    for page, (subject, lines) in zip(by_page(parsed), mails, strict=True):
        assert page == f"Subject: {subject}\n\n{chr(10).join(lines).strip(chr(10))}".strip()


PIECES = st.sampled_from(
    b"Subject: |From: |To: |Content-Type: text/html\n|Content-Type: multipart/mixed; boundary=b\n|"
    b"--b\n|--b--\n|\n|=?utf-8?q?=FF?=|=?x?b?!?=|=?gb2312?b?zsQ=?=|\xc4\xe3|charset=;|name*0*=a'b'%FF|"
    b"Content-Disposition: attachment; filename=\xff\n|Content-Transfer-Encoding: base64\n|<p>a|;|"
    b"a: |From a@b Sat Jan  3 01:05:34 1996\n|>From |Content-Type: message/rfc822\n| |x|\r\n"
    b"|Content-Transfer-Encoding: x-uuencode\n|begin 644 x\n|Content-Type: \xff/\xfe; charset=\xff"
    .split(b"|")
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.eml", "a.mbox"])
@FEW
@given(pieces=st.lists(PIECES, max_size=30))
def test_arbitrary_mail_keeps_the_invariants(
    name: str, pieces: list[bytes], tmp_path: Path
) -> None:
    """However the pieces of mail are put together."""
    start = b"From a@b Sat Jan  3 01:05:34 1996\nSubject: " if name == "a.mbox" else b"Subject: "
    attempt(tmp_path / name, start + b"".join(pieces))
