"""Texts of our own, plain and awkward, that a browser and Python have to read alike."""

from __future__ import annotations

import random

PLAIN = (
    "The film is a quiet triumph.",
    "I found the movie quietly triumphant.",
    "How do I learn to cook on a small budget?",
    "A child throws a ball to the dog.",
    "It never takes off, and nobody minded.",
    "My grandmother's clock runs ten minutes late.",
)
AWKWARD = (
    *(
        "",
        " ",
        "\n\t",
        "\u200b",
        "[MASK]",
        "a [MASK] b [MASK]",
        "[mask]",
        "[SEP] [CLS] [PAD] [UNK]",
    ),
    *("-LRB- aside -RRB-", "-LSB-x-RSB-", "-LCB- -RCB-", "-LRB-MASK-RRB-", "-LSB-MASK-RSB-"),
    *(
        "``quoted''",
        "and\\/or",
        "5 \\* 3",
        "does n't",
        "DOES N'T",
        "do n'ts",
        "_ n't",
        "é n't.",
        "! n't",
    ),
    *(
        "naïve café",
        "CAFÉ À LA CRÈME",
        "cafe\u0301",
        "Ångström",
        "İstanbul",
        "ΟΔΟΣ ΣΑΣ",
        "straße ẞ",
    ),
    *(
        "我喜欢这部电影",
        "東京タワー",
        "한국어 문장",
        "ไทย ภาษา",
        "שלום עולם",
        "مرحبا بالعالم",
        "हिन्दी वाक्य",
    ),
    *(
        "😀",
        "so good 😀😀!",
        "👩‍👩‍👧",
        "🇨🇭",
        "a\ufe0fb",
        "\ud83d",
        "half \ude00 emoji",
        "\U0001f9ff x",
    ),
    *(
        "a\u00a0b",
        "a\u3000b",
        "a\u2028b",
        "a\x1cb",
        "a\x85b",
        "a\x0bb",
        "a\x00b",
        "a\ufeffb",
        "a\u00adb",
    ),
    *(
        "≠ ≮ ½ ① ﬁ ™ €5 £3.50",
        "x²+y²",
        "50%",
        "C++ & C#",
        "a_b-c.d@e",
        "...",
        "—–-",
        "“curly” ‘too’",
    ),
    *(
        "x" * 100,
        "x" * 101,
        "é" * 101,
        "supercalifragilisticexpialidocious",
        "qzxv",
        "##ing",
        "un##able",
    ),
    *(
        "\u0378",
        "\u1734",
        "\u061d",
        "\U000105c9",
        "\U0001b170",
        "\ue000",
        "\U000f0000",
        "\uffff",
        "\u0344",
    ),
    *("<b>red</b>", "</script><img src=x onerror=alert(1)>", "&amp; &lt;", '{"a": 1}', "`${x}`"),
)
LETTERS = "aZ09 .,'-_éßİΣ漢字한ก😀\u0301\u200d\t\u00a0\\/*`\"[]()"


def texts(count: int = 300, seed: int = 0) -> list[str]:
    """Return the plain and awkward texts, and so many drawn from their parts."""
    draw = random.Random(seed)
    parts = [*" ".join(PLAIN).split(), *AWKWARD, *LETTERS]
    mixed = (
        draw.choice(("", " ")).join(draw.choices(parts, k=draw.randint(2, 24)))
        for _ in range(count)
    )
    return [*PLAIN, *AWKWARD, *mixed]
