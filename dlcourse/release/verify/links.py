"""What `dlcourse verify` demands of text: pictures that everybody can
see, links that lead somewhere."""

import re
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from dlcourse.release.notebook.generated import BADGE

TARGET = r"\(\s*<?([^()\s<>]*(?:\([^()\s]*\)[^()\s<>]*)*)>?(?:\s+(?:\"[^\"]*\"|'[^']*'))?\s*\)"
IMAGE = re.compile(r"!\[([^\]]*)\]" + TARGET)
LINK = re.compile(r"\]" + TARGET)
DEFINED = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?\s*$", re.MULTILINE)
QUOTED = re.compile(r"<(https?://[^>\s]+)>|href\s*=\s*[\"']([^\"']+)[\"']")
TAG = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
IN_A_REPOSITORY = re.compile(
    r"https?://(?:colab\.research\.google\.com/github|github\.com)/([^/\s]+/[^/\s]+)/(?:blob|tree|raw)/(.+)"
)


def without_code(text):
    """Markdown with code, formulas and comments blanked out, lines kept: nothing
    in them is a link or a picture."""
    for pattern in (
        r"^(```|~~~).*?^\1",
        r"<!--.*?-->",
        r"\$\$.*?\$\$",
        r"`[^`\n]*`",
        r"(?<![\\$])\$[^$\n]+\$",
    ):
        text = re.sub(
            pattern, lambda match: "\n" * match[0].count("\n"), text, flags=re.DOTALL | re.MULTILINE
        )
    return text


def check_text(course, path, text):
    """(line number, complaint) for every picture and link of the
    markdown `text` in the file `path`."""
    text = without_code(text)
    for match, alt, target in _pictures(text):
        yield from (
            (_line(text, match), complaint)
            for complaint in _check_picture(course, path, alt, target)
        )
    anchors = {
        _anchor(match[1]) for match in re.finditer(r"^ {0,3}#{1,6}\s+(.*)", text, re.MULTILINE)
    }
    for match, target in _links(text):
        complaint = check_target(course, path, target)
        # In a notebook the heading may stand in another cell.
        if path.endswith(".md") and target.startswith("#") and target[1:] not in anchors:
            complaint = f"link to `{target}`, but no heading gives that anchor; correct it"
        if complaint:
            yield _line(text, match), complaint
    for match in re.finditer(r"http://\S+", text):
        yield _line(text, match), f"`{match[0].rstrip(').,')}` is not https; write https://"


def _anchor(heading):
    """What GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def _line(text, match):
    return text.count("\n", 0, match.start()) + 1


def _pictures(text):
    for match in IMAGE.finditer(text):
        yield match, match[1], match[2]
    for match in TAG.finditer(text):
        found = dict(re.findall(r"(\w+)\s*=\s*[\"']([^\"']*)[\"']", match[0]))
        yield match, found.get("alt", ""), found.get("src", "")


def _links(text):
    pictures = {match.end() for match in IMAGE.finditer(text)}
    for match in LINK.finditer(text):
        if match.end() not in pictures:
            yield match, match[1]
    for pattern in (DEFINED, QUOTED):
        for match in pattern.finditer(text):
            yield match, next(group for group in match.groups() if group)


def _check_picture(course, path, alt, target):
    if not alt.strip():
        yield (
            f"picture `{target[:60]}` has no alt text; say what it shows between the square "
            "brackets"
        )
    if re.match(r"https?://", target):
        if target != BADGE:
            yield (
                f"picture `{target}` is fetched from elsewhere; draw it in a code cell or commit it"
            )
    elif not target.startswith("data:"):
        complaint = check_target(course, path, target)
        if complaint:
            yield complaint


def check_target(course, path, target):
    """What is wrong with a link to `target` in the file `path`; "" where nothing is."""
    # http:// is looked for in the whole text
    if target.startswith(("#", "mailto:", "data:", "http://")):
        return ""
    if target.startswith("https://"):
        return _check_own(course, target)
    if re.match(r"\w+:", target) or target.startswith("/") or not target:
        return f"link to `{target}`; give an https address or a path relative to this file"
    file = resolve(path, target)
    if file is None or not (course.root / file).exists():
        return f"link to `{target}`, which does not exist; correct it or write that file"
    return ""


def resolve(path, target):
    """The file that a relative link in `path` means, relative to the root;
    None where it leads out of it."""
    parts = list(PurePosixPath(path).parent.parts)
    for part in PurePosixPath(unquote(re.split("[#?]", target)[0])).parts:
        if part != "..":
            parts.append(part)
        elif not parts:
            return None
        else:
            parts.pop()
    return "/".join(parts)


def _check_own(course, target):
    """Addresses on GitHub and Colab: into this repository they must be right,
    into last year's they are wrong."""
    match = IN_A_REPOSITORY.match(target)
    if not match:
        return ""
    file = own_file(course, target)
    if file is not None:
        missing = not (course.root / file).exists()
        return (
            f"link to `{file}` on GitHub, which is not in this repository; correct it"
            if missing
            else ""
        )
    ours = f"{course.repository}, branch {course.branch}"
    folder = unquote(match[2]).split("/")[1:2]
    if match[1] == course.repository or folder in [[day.folder] for day in course.days]:
        return (
            f"link to `{match[1]}/{match[2]}`; the course is in {ours}: correct it or run "
            "`dlcourse build`"
        )
    return ""


def own_file(course, target):
    """The path within this repository that a GitHub or Colab address means, else None."""
    match = IN_A_REPOSITORY.match(target)
    branch = quote(course.branch) + "/"
    if match and match[1] == course.repository and match[2].startswith(branch):
        return unquote(re.split("[#?]", match[2][len(branch) :])[0])
    return None
