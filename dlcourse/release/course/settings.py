"""Settings of course.toml that end up in addresses and in code: each is held to what may stand
there."""

import re

from dlcourse.release.course.tables import quoted

KEPT_BY_COLAB = ("torch", "torchvision", "numpy", "matplotlib", "ipython")
REPOSITORY = r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.{1,2}$)[A-Za-z0-9._-]+"
# what git allows (git help check-ref-format), without what an address would have to quote
BRANCH = r"(?!.*(?:\.\.|//|/\.|\.lock(?:/|$)))[A-Za-z0-9_][A-Za-z0-9._/+-]*(?<![./])"
EMAIL = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
# "scikit-learn", "gymnasium[box2d]", "tqdm>=4.66,<5"
VERSION = r"(?:==|>=|<=|~=|!=|<|>)[A-Za-z0-9.*+!]+"
PACKAGE = (
    r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    rf"(?:\[[A-Za-z0-9,._-]+\])?(?:{VERSION}(?:,{VERSION})*)?"
)


def repository(general):
    """owner/name on GitHub, from the Table [course]."""
    value = general.take("repository", str)
    if value.endswith(".git"):
        general.fail(f"key 'repository' is {quoted(value)}: leave .git out, as GitHub's page does")
    if not re.fullmatch(REPOSITORY, value):
        general.fail(f"key 'repository' must be owner/name as on GitHub, not {quoted(value)}")
    return value


def branch(general):
    """The branch that students' links lead to."""
    value = general.take("branch", str)
    if not re.fullmatch(BRANCH, value):
        general.fail(
            "key 'branch' must be the name of a branch, of letters, digits and . _ - / +, not "
            f"{quoted(value)}"
        )
    return value


def email(staff):
    """The address that students write to, from the Table [staff]."""
    value = staff.take("email", str)
    if not re.fullmatch(EMAIL, value):
        staff.fail(f"key 'email' must be an address such as name@example.org, not {quoted(value)}")
    return value


def packages(table, found):
    """`found`, the value of a Table's key 'packages': a dict from the name that is imported to what
    pip installs."""
    for name, pip_name in found.items():
        if not name.isidentifier():
            table.fail(f"package {quoted(name)} is no name that Python can import: correct it")
        match = type(pip_name) is str and re.fullmatch(PACKAGE, pip_name)
        if not match:
            table.fail(
                f"package {name!r} must name what pip installs, in quotes, such as "
                f'"scikit-learn" or "tqdm>=4.66", not {quoted(pip_name)}'
            )
        if {name.lower(), match[1].lower()} & {*KEPT_BY_COLAB}:
            table.fail(
                f"package {name!r} must not be listed: a Colab runtime has to keep its own; take "
                "it out"
            )
    return found
