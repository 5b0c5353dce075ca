# SPDX-License-Identifier: MIT
"""The code blocks of a page, as a reader finds them."""
import re

import house


def blocks(language, page="README.md"):
    return re.findall(rf"^```{language}\n(.*?)^```$", (house.ROOT / page).read_text(), re.M | re.S)


def block(language, page="README.md"):
    """The only one."""
    (text,) = blocks(language, page)
    return text
