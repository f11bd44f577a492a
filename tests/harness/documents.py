"""What the project's documents show: fenced blocks of Markdown, and the commands in them."""
import dataclasses
import re
import shlex

from .programs import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SEPARATORS = {"&&", "||", "|", ";", "&"}


@dataclasses.dataclass
class Block:
    document: str
    line: int
    language: str
    text: str

    def __str__(self):
        return f"{self.document}:{self.line}"


def blocks(language=None):
    """All blocks, or those of one language, in the order of the documents."""
    found = []
    for path in DOCUMENTS:
        text = path.read_text()
        for match in FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Block(str(path.relative_to(ROOT)), line, match[1], match[2]))
    return [block for block in found if language in (None, block.language)]


def commands(block):
    """The simple commands of a shell block, each as its words; comments, redirections and variables set for one command
    are left out."""
    text = block.text.replace("\\\n", " ")
    for line in text.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;<>")
        lexer.whitespace_split, lexer.commenters = True, "#"
        words = []
        for word in [*lexer, ";"]:
            if word not in SEPARATORS:
                words.append(word)
            elif words:
                yield without_redirections(words)
                words = []


def without_redirections(words):
    kept, skip = [], False
    for word in words:
        if set(word) <= set("<>") and word:
            skip = True
        elif skip:
            skip = False
        else:
            kept.append(word)
    while kept and re.fullmatch(r"[A-Za-z_]+=.*", kept[0]):
        kept.pop(0)
    return kept
