"""What a server answers in HTTP/1.1, taken apart."""

import dataclasses


@dataclasses.dataclass
class Answer:
    status: int
    fields: list  # (name, value), in order
    body: bytes = b""

    def field(self, name):
        """The value of the one field of that name; None: there is none."""
        found = [value for known, value in self.fields if known.lower() == name.lower()]
        if len(found) > 1:
            raise AssertionError(f"{name} stands {len(found)} times")
        return found[0] if found else None

    def tokens(self, name):
        """The elements of a list field, in lower case."""
        return {part.strip().lower() for part in (self.field(name) or "").split(",")} - {""}


def take_answer(data, to_head=False):
    """The first answer, and what follows it: bytes of the next, or of another protocol. `to_head`:
    the request was HEAD."""
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        raise AssertionError(f"not a whole answer: {data[:300]!r}")
    status_line, *lines = head.decode("ascii").split("\r\n")
    version, status, phrase = status_line.split(" ", 2)
    if version != "HTTP/1.1" or not phrase:
        raise AssertionError(f"not a status line: {status_line!r}")
    fields = []
    for line in lines:
        name, colon, value = line.partition(": ")
        if not colon or not name or not value or value != value.strip():
            raise AssertionError(f"not a header field: {line!r}")
        fields.append((name, value))
    answer = Answer(int(status), fields)
    if answer.status == 101:
        return answer, rest
    length = answer.field("Content-Length")
    if length is None or not length.isdigit():
        raise AssertionError(f"no Content-Length in {head!r}")
    size = 0 if to_head else int(length)
    if len(rest) < size:
        raise AssertionError(f"{size} bytes promised, {len(rest)} came: {rest[:300]!r}")
    answer.body = rest[:size]
    return answer, rest[size:]


def take_answers(data):
    """All of them."""
    answers = []
    while data:
        answer, data = take_answer(data)
        answers.append(answer)
    return answers
