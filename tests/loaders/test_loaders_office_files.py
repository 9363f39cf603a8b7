"""Real files in four languages, written by LibreOffice and by the libraries: text and positions.

The LibreOffice files were converted by LibreOffice 7.4 from its own formats (pptx from odp, xlsx
from ods and csv, odt from HTML and docx, csv and tsv from a sheet).
"""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from rag.loaders import load
from tests.loaders.loader_files import FILES


@dataclass(frozen=True, slots=True)
class Expected:
    """What a file is read as; `pages` holds the first line of each page."""

    text: str
    title: str
    headings: tuple[tuple[int, str], ...] = ()
    pages: tuple[str, ...] = ()
    unit: str = "page"
    metadata: dict[str, str] = field(default_factory=dict)


EXPECTED = {
    "python_ru.pptx": Expected(
        text=(
            "Итоги года\n\n"
            "Отдел снабжения, 2024\n\n"
            "Склады\n\n"
            "- Открыт склад в Твери\n"
            "  - площадь 1200 м²\n"
            "- Закрыт склад в Туле\n\n"
            "Speaker notes\n\n"
            "Сказать, что аренда в Туле стоила 90 тысяч рублей.\n\n"
            "Slide 3\n\n"
            "Город | Заказы\n"
            "Город | 2023 | 2024\n"
            "Город: Тверь; Заказы / 2023: 410; Заказы / 2024: 655\n"
            "Город: Тверь; Заказы / 2023: 12%; Заказы / 2024: 18%\n\n"
            "Backup: costs\n\n"
            "Costs in 2024\n\n"
            "Share\n"
            "rent; Share: 25%\n"
            "wages; Share: 75%"
        ),
        title="Итоги года",
        headings=(
            (1, "Итоги года"),
            (1, "Склады"),
            (2, "Speaker notes"),
            (1, "Slide 3"),
            (1, "Backup: costs"),
        ),
        pages=(
            "Итоги года",
            "Склады",
            "Slide 3",
            "Backup: costs",
            "",
        ),
        unit="slide",
        metadata={"author": "Анна Петрова", "hidden_slides": "4", "date": "2024-05-01"},
    ),
    "libreoffice_hu.pptx": Expected(
        text=(
            "Kutyaiskola kezdőknek\n\n"
            "Őszi tanfolyam\n\n"
            "Első óra\n\n"
            "- Ülj és feküdj\n"
            "- Gyakorlás naponta tíz percig\n\n"
            "Speaker notes\n\n"
            "A gazdáknak hozniuk kell az oltási könyvet.\n\n"
            "Árak\n\n"
            "Csomag | Ár\n"
            "Alap | 24 000 Ft\n"
            "Haladó | 36 000 Ft"
        ),
        title="Kutyaiskola",
        headings=(
            (1, "Kutyaiskola kezdőknek"),
            (1, "Első óra"),
            (2, "Speaker notes"),
            (1, "Árak"),
        ),
        pages=(
            "Kutyaiskola kezdőknek",
            "Első óra",
            "Árak",
        ),
        unit="slide",
        metadata={"author": "Szabó Éva", "date": "2024-05-01"},
    ),
    "libreoffice_zh.pptx": Expected(
        text=(
            "图书馆导览\n\n"
            "新读者指南\n\n"
            "开放时间\n\n"
            "- 周一至周五九点开门\n"
            "- 周日闭馆\n\n"
            "Speaker notes\n\n"
            "提醒读者带身份证。\n\n"
            "借阅规则\n\n"
            "类别 | 册数 | 天数\n"
            "类别: 学生; 册数: 10; 天数: 30\n"
            "类别: 教师; 册数: 20; 天数: 60"
        ),
        title="图书馆导览",
        headings=(
            (1, "图书馆导览"),
            (1, "开放时间"),
            (2, "Speaker notes"),
            (1, "借阅规则"),
        ),
        pages=(
            "图书馆导览",
            "开放时间",
            "借阅规则",
        ),
        unit="slide",
        metadata={"date": "2024-05-01"},
    ),
    "python_en.xlsx": Expected(
        text=(
            "Prices\n\n"
            "Price list of the tea shop\n\n"
            "Tea | Price | Tax | Since | Organic\n"
            "Tea: Assam; Price: 1,234.50 Ft; Tax: 27%; Since: 2024-05-01; Organic: TRUE\n"
            "Tea: Sencha; Price: 980.00 Ft; Tax: 5%; Since: 2023-11-15; Organic: FALSE\n"
            "Note: prices hold until June.\n\n"
            "Shop | 2023 | 2024\n"
            "Shop | spring | autumn | spring\n"
            "Shop: Győr; 2023 / spring: 10; 2023 / autumn: 20; 2024 / spring: 30\n"
            "Shop: Győr; 2023 / spring: 40; 2024 / spring: 60\n\n"
            "Staff\n\n"
            "Name | Role\n"
            "Name: Anna; Role: buyer\n"
            "Name: Béla; Role: cook"
        ),
        title="Price list",
        headings=(
            (1, "Prices"),
            (1, "Staff"),
        ),
        pages=(
            "Prices",
            "",
            "Staff",
        ),
        unit="sheet",
        metadata={
            "author": "Ann Lee",
            "hidden_sheets": "Lists",
            "formulas_without_result": "1",
            "date": "2024-05-01",
        },
    ),
    "libreoffice_hu.xlsx": Expected(
        text=(
            "hu_x\n\n"
            "Termék | Ár | Raktáron\n"
            "Termék: Lámpa; Ár: 12 500; Raktáron: igen\n"
            "Termék: Szék; Ár: 8 990; Raktáron: nem"
        ),
        title="libreoffice_hu",
        headings=((1, "hu_x"),),
        pages=("hu_x",),
        unit="sheet",
        metadata={},
    ),
    "libreoffice_zh.xlsx": Expected(
        text=(
            "库存\n\n"
            "品名 | 数量 | 单价 | 合计 | 入库\n"
            "品名: 铅笔; 数量: 120; 单价: ¥1.50; 合计: 180.00; 入库: 2024-03-08\n"
            "品名: 橡皮; 数量: 80; 单价: ¥2.00; 合计: 160.00; 入库: 2024-03-09\n"
            "品名: 共计; 合计: 340\n\n"
            "说明\n\n"
            "数量每月盘点一次。"
        ),
        title="libreoffice_zh",
        headings=(
            (1, "库存"),
            (1, "说明"),
        ),
        pages=(
            "库存",
            "说明",
        ),
        unit="sheet",
        metadata={"date": "2026-11-21"},
    ),
    "libreoffice_hu.odt": Expected(
        text=(
            "Bérleti szerződés\n\n"
            "A bérlő havonta 120 000 forint bérleti díjat fizet.\n\n"
            "A díj a rezsit nem tartalmazza.\n\n"
            "Felek\n\n"
            "- Bérbeadó: Kovács Anna\n"
            "  - lakcíme: Szeged\n"
            "- Bérlő: Nagy Péter\n\n"
            "Hónap | Díj\n"
            "Hónap: Január; Díj: 120 000 Ft\n"
            "Hónap: Február; Díj: 125 000 Ft\n\n"
            "Kelt: Szeged, 2024. május 1."
        ),
        title="Bérleti szerződés",
        headings=(
            (1, "Bérleti szerződés"),
            (2, "Felek"),
        ),
        unit="page",
        metadata={"author": "Kovács Anna"},
    ),
    "libreoffice_ru.odt": Expected(
        text=(
            "Правила проката велосипедов\n\n"
            "Оплата\n\n"
            "Час проката стоит 300 рублей.\n\n"
            "Залог\n\n"
            "- паспорт\n"
            "- 5000 рублей\n\n"
            "Модель | Час | День\n"
            "Модель: Горный; Час: 300; День: 1500\n"
            "Модель: Детский; Час: 150; День: 700"
        ),
        title="Правила проката",
        headings=(
            (1, "Правила проката велосипедов"),
            (1, "Оплата"),
            (2, "Залог"),
        ),
        unit="page",
        metadata={"author": "Иван Сидоров", "date": "2024-05-01"},
    ),
    "libreoffice_zh.odt": Expected(
        text=(
            "植物园参观须知\n\n"
            "植物园每天早上八点开放。\n\n"
            "门票\n\n"
            "成人 | 平日 | 40 元\n"
            "成人 | 周末 | 50 元\n\n"
            "学生凭证半价。"
        ),
        title="植物园参观须知",
        headings=(
            (1, "植物园参观须知"),
            (2, "门票"),
        ),
        unit="page",
        metadata={},
    ),
    "libreoffice_ru_cp1251.csv": Expected(
        text=(
            "Книга | Автор | Цена\n"
            "Книга: Каштанка; Автор: Чехов А. П.; Цена: 350.5\n"
            "Книга: Нос; Шинель; Автор: Гоголь Н. В.; Цена: 410\n"
            "Книга: Бесы; Автор: Достоевский «Ф. М.» собрание; Цена: 780"
        ),
        title="libreoffice_ru_cp1251",
        unit="line",
        metadata={"encoding": "cp1251"},
    ),
    "libreoffice_hu_cp1250.csv": Expected(
        text=(
            "Őrs | Létszám | Megjegyzés\n"
            'Őrs: Fecske; Létszám: 8; Megjegyzés: új, "zöld" kendő\n'
            "Őrs: Sólyom; Létszám: 11"
        ),
        title="libreoffice_hu_cp1250",
        unit="line",
        metadata={"encoding": "cp1250"},
    ),
    "libreoffice_zh_gb18030.csv": Expected(
        text=(
            "城市 | 省份 | 人口\n"
            "城市: 杭州; 省份: 浙江; 人口: 12520000\n"
            "城市: 苏州; 省份: 江苏; 人口: 12958000"
        ),
        title="libreoffice_zh_gb18030",
        unit="line",
        metadata={"encoding": "gb18030"},
    ),
    "libreoffice_ru.tsv": Expected(
        text=(
            "Книга | Автор | Цена\n"
            "Книга: Каштанка; Автор: Чехов А. П.; Цена: 350.5\n"
            "Книга: Нос; Шинель; Автор: Гоголь Н. В.; Цена: 410\n"
            "Книга: Бесы; Автор: Достоевский «Ф. М.» собрание; Цена: 780"
        ),
        title="libreoffice_ru",
        unit="line",
        metadata={},
    ),
    "libreoffice_hu.tsv": Expected(
        text=(
            "Őrs | Létszám | Megjegyzés\n"
            'Őrs: Fecske; Létszám: 8; Megjegyzés: új, "zöld" kendő\n'
            "Őrs: Sólyom; Létszám: 11"
        ),
        title="libreoffice_hu",
        unit="line",
        metadata={},
    ),
    "libreoffice_zh.tsv": Expected(
        text=(
            "城市 | 省份 | 人口\n"
            "城市: 杭州; 省份: 浙江; 人口: 12520000\n"
            "城市: 苏州; 省份: 江苏; 人口: 12958000"
        ),
        title="libreoffice_zh",
        unit="line",
        metadata={},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_real_file_is_read_as_its_program_shows_it(name: str) -> None:
    """Text, title, headings and what the file says of itself."""
    parsed, expected = load(FILES / name), EXPECTED[name]
    assert parsed.text == expected.text
    assert parsed.title == expected.title
    assert tuple((each.level, each.title) for each in parsed.headings) == expected.headings
    assert parsed.metadata == expected.metadata


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_pages_of_a_real_file_are_its_slides_and_sheets(name: str) -> None:
    """Each page begins with its title, an empty one where the text goes on or ends."""
    parsed, expected = load(FILES / name), EXPECTED[name]
    assert parsed.unit == expected.unit
    ends = [*parsed.pages, len(parsed.text)]
    texts = (parsed.text[start:end] for start, end in pairwise(ends))
    assert tuple(text.split("\n", 1)[0] for text in texts) == expected.pages
