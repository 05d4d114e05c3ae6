"""Links out of the published tree, into what is not out yet or never will be, become their text."""

import re
from pathlib import Path

from dlcourse.release.verify.links import TARGET, own_file, resolve

FENCE = re.compile(r"(^ {0,3}(?P<fence>```|~~~).*?^ {0,3}(?P=fence))", re.DOTALL | re.MULTILINE)
LINKED = re.compile(r"(?<!!)\[((?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*)\]" + TARGET)
BARE = re.compile(
    r"<?(https://(?:colab\.research\.google\.com/github|github\.com)/[^\s<>()\"'\]]+)>?"
)
ANCHORED = re.compile(
    r"<a\b[^>]*href\s*=\s*[\"']([^\"']+)[\"'][^>]*>(.*?)</a>", re.DOTALL | re.IGNORECASE
)


def plain_links(course, path, text, there):
    """Markdown in which a link to a file of the course that is not `there` (a set
    of paths) has become its text."""

    def is_hidden(target):
        if target.startswith("https://"):
            file = own_file(course, target)
        elif target.startswith("#") or re.match(r"\w+:", target):
            return False
        else:
            file = resolve(path, target)
            # A formula such as x[0](y) looks like a link, to a file that nobody has.
            if file is None or not (course.root / file).exists():
                return False
        return file is not None and file.rstrip("/") not in there

    def plain(piece):
        piece = LINKED.sub(lambda m: m[1] if is_hidden(m[2]) else m[0], piece)
        piece = ANCHORED.sub(lambda m: m[2] if is_hidden(m[1]) else m[0], piece)
        # an address written out is a link too
        return BARE.sub(lambda m: Path(m[1]).name if is_hidden(m[1]) else m[0], piece)

    pieces, done = [], 0
    for fence in FENCE.finditer(text):
        pieces += [plain(text[done : fence.start()]), fence[0]]
        done = fence.end()
    return "".join([*pieces, plain(text[done:])])
