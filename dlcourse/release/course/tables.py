"""Reading keys out of course.toml so that every slip is named: where it stands,
what is wrong, what to write."""

import datetime
import difflib
import re

WORDS = {
    str: "text in quotes",
    int: "a whole number",
    bool: "true or false",
    list: "a list in [ ]",
    dict: "a table",
    datetime.date: "a date such as 2023-11-28, without quotes",
}
REQUIRED = object()
QUOTED = 60  # so much of a value is shown in a message
COMMENT = ("<!--", "-->")  # as in the README's markers


def quoted(value):
    """A value as it is shown in a message: as in Python, the middle of a long one left out."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no number of more than 4,300 digits
        return "a number of thousands of digits"
    return text if len(text) <= QUOTED else f"{text[: QUOTED // 2]} … {text[-QUOTED // 4 :]}"


class CourseError(Exception):
    """Something in the course's files is wrong. One line: the file, the
    place, what is wrong, the cure."""


class Table:
    """One table of course.toml, read key by key; `where` says in words which one it is."""

    def __init__(self, values, where):
        self.values, self.where, self.asked = values, where, []

    def fail(self, message):
        raise CourseError(f"course.toml: {self.where}: {message}")

    def take(self, key, kind, default=REQUIRED, cure=None):
        """The value of `key`, which must be of type `kind`; `default` where it is left out."""
        self.asked.append(key)
        if key not in self.values:
            if default is REQUIRED:
                self._refuse_misspelt(key)
                self.fail(f"key {key!r} is missing: {cure or f'give it as {WORDS[kind]}'}")
            return default
        value = self.values[key]
        # TOML's true is an int to Python, and its date-time a date
        if type(value) is not kind:
            self.fail(f"key {key!r} must be {WORDS[kind]}, not {quoted(value)}")
        if kind is str:
            # | would end the cell of a table; a title is the text of a link
            signs = ("|", *COMMENT, *("\\`[]<" if key == "title" else ""))
            self._check_text(key, value, signs)
        return value

    def _refuse_misspelt(self, key):
        """Raises where a key that nobody asked for yet looks like the missing one."""
        others = [other for other in self.values if other not in self.asked]
        for near in difflib.get_close_matches(key, others, n=1, cutoff=0.75):
            self.fail(f"key {near!r} is unknown: did you mean {key!r}?")

    def _check_text(self, key, value, forbidden=COMMENT):
        """Text goes into headings, links and tables: one line, without what would end them."""
        if not value.strip():
            self.fail(f"key {key!r} is empty: give it as {WORDS[str]}")
        if not value.isprintable():
            self.fail(
                f"key {key!r} holds a line break or a sign that cannot be seen, {quoted(value)}: "
                "write it on one line, as letters"
            )
        for sign in forbidden:
            if sign in value:
                self.fail(f"key {key!r} holds `{sign}`, {quoted(value)}: write it without")

    def take_number(self, key, least, most, default=REQUIRED, cure=None):
        """A whole number within bounds, both allowed."""
        value = self.take(key, int, default, cure)
        if not least <= value <= most:
            self.fail(f"key {key!r} is {quoted(value)}: give a number from {least} to {most}")
        return value

    def take_list(self, key, kind, default=REQUIRED, cure=None):
        values = self.take(key, list, default, cure)
        for value in values or ():
            if type(value) is not kind:
                self.fail(f"every entry of {key!r} must be {WORDS[kind]}, not {quoted(value)}")
            if kind is str:
                self._check_text(key, value)
        return tuple(values or ())

    def take_tables(self, key, where):
        """The tables of a list, each as a Table; `where` is called with the
        position (from 1) and the values."""
        values = self.take_list(key, dict, [])
        return [Table(value, where(number, value)) for number, value in enumerate(values, start=1)]

    def take_table(self, key, where, default=REQUIRED):
        value = self.take(key, dict, default, cure=f"add a table [{key}]")
        return None if value is None else Table(value, where)

    def take_time(self, key, default=REQUIRED):
        value = self.take(key, str, default)
        return self.check_time(key, value)

    def check_time(self, key, value):
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
            self.fail(f'key {key!r} must be a time such as "09:00", not {quoted(value)}')
        return value

    def take_name(self, key, ending, default=REQUIRED):
        """The name of a file or folder, not a path."""
        value = self.take(key, str, default)
        if value is None:
            return None
        what = f"the name of a {ending} file" if ending else "the name of a folder"
        if "/" in value or "\\" in value or not value.endswith(ending):
            self.fail(f"key {key!r} must be {what} without slashes, not {quoted(value)}")
        # not .., nor -rf, nor what a shell or Windows would stumble over
        if not re.fullmatch(r"\w[\w .,+()-]*(?<![. ])", value):
            self.fail(
                f"key {key!r} must be {what} of letters, digits, spaces and _ - . , + ( ), with a "
                f"letter or digit first, not {quoted(value)}"
            )
        return value

    def finish(self):
        """Raises where a key stands that nobody asked for: most often a slip of the pen."""
        for key in self.values:
            if key not in self.asked:
                near = difflib.get_close_matches(key, self.asked, n=1)
                cure = (
                    f"did you mean {near[0]!r}?"
                    if near
                    else f"known keys are {', '.join(self.asked)}"
                )
                self.fail(f"key {key!r} is unknown: {cure}")
