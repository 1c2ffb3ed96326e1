"""What the documents say is so: the commands run, the pages are current, links lead somewhere."""

import re
import shlex
import shutil
import subprocess
import sys

import pytest

from photochat.cli import command_line
from photochat.records import write_records
from photochat.release import read_release, write_release
from photochat.split import split
from tests.conftest import REPOSITORY, SAMPLE
from verification.finding import Checked, write_findings
from verification.review.store import Item, open_review

WITH_A_SERVER = {
    "serve",
    "simulate",
    "export",
    "browse",
    "mturk-emulator",
    "review",
    "campaign",
    "rehearse",
}
LANGUAGE_MODEL = "http://127.0.0.1:8080/v1"  # what the documents call somebody's endpoint
DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
# tests/e2e/test_documents.py runs the commands with a server, and these two from first to last.
IN_ORDER = ("README.md", "quick-starts.md")
ON_THEIR_OWN = [document for document in DOCUMENTS if document.name not in IN_ORDER]


def commands_in(text):
    """Return the `photochat ...` lines of a document's code blocks."""
    blocks = re.findall(r"^```\n(.*?)^```", text, re.M | re.S)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line for line in lines if re.match(r"photochat (?!\[)[a-z-]+ \S", line)]


def all_commands_in(text):
    """Return every `photochat ...` line that stands by itself, in whatever kind of block."""
    text = re.sub(r" *\\\n *", " ", text)
    command = r"^(?: {4})?(?:\$ )?(photochat (?!\[)[a-z-]+ \S.*?)(?: &| +#.*)?$"
    found = re.findall(command, text, re.M)
    return [line for line in found if not line.endswith((".", ",")) and "`" not in line]


def sample():
    """Return some of the made-up dialogues: enough for every command."""
    return read_release(SAMPLE).dialogues[:60]


def furnish(folder):
    """Make what the documents' commands read, in a folder that keeps what they write."""
    dialogues = sample()
    splits, _ = split(dialogues, dev=12, test=12)
    write_release(splits, folder / "release")
    shutil.copytree(SAMPLE.parent, folder / "photochat" / "sample")
    write_records(folder / "accepted.json", dialogues)
    annotations = SAMPLE.parent / "open_images"
    for name, source in (
        ("validation-annotations-bbox.csv", "train-annotations-bbox.csv"),
        ("class-descriptions-boxable.csv", "class-descriptions.csv"),
        ("bbox_labels_600_hierarchy.json", "class-hierarchy.json"),
    ):
        shutil.copy(annotations / source, folder / name)
    write_records(folder / "accepted.jsonl", dialogues)
    write_findings(folder / "findings.jsonl", [Checked(d.dialogue_id) for d in dialogues])
    (folder / "pipeline.toml").write_text(
        '[collect]\nraw = "accepted.jsonl"\n[split]\ndev = 10\ntest = 10\n[bm25]\n'
    )


def as_here(words, language_model):
    """Return a command's words for the sample, which is smaller than the paper's data set."""
    words = ["10" if word == "1000" else word for word in words]
    return [language_model if word == LANGUAGE_MODEL else word for word in words]


def run_one(words, run_photochat):
    """Run a command that a document names, in the place of what another has left."""
    if "--out" in words and "release" in words:
        words = [*words, "--force"]
    elif "--out" in words:
        shutil.rmtree(words[words.index("--out") + 1], ignore_errors=True)
    status, _, err = run_photochat(*words)
    assert status == (1 if words[0] == "validate" else 0), (words, err)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder that holds what the documents' commands read, and keeps what they write."""
    folder = tmp_path_factory.mktemp("documents")
    furnish(folder)
    dialogues = sample()
    write_records(folder / "raw.jsonl", dialogues)
    # A review that somebody has made before.
    open_review(f"sqlite:///{folder}/review.db", [Item(d, 2) for d in dialogues])[0].close()
    return folder


@pytest.fixture(scope="module")
def done():
    """The commands that have run in the workplace: what two documents say runs once."""
    return set()


@pytest.mark.parametrize("document", ON_THEIR_OWN, ids=lambda path: path.name)
def test_every_command_in_the_documents_runs(
    document, workplace, done, run_photochat, language_model, monkeypatch
):
    monkeypatch.chdir(workplace)
    for line in commands_in(document.read_text()):
        words = as_here(shlex.split(line)[1:], language_model)
        if words[0] not in WITH_A_SERVER and line not in done:
            done.add(line)
            run_one(words, run_photochat)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_the_documents_is_one(document, monkeypatch, tmp_path):
    """Also those that a server, a platform or a large file would be needed for."""
    monkeypatch.chdir(tmp_path)
    whole = command_line()
    for line in all_commands_in(document.read_text()):
        command, arguments = whole, shlex.split(line, comments=True)
        context = command.context_class(command, info_name=arguments.pop(0))
        while hasattr(command, "resolve_command"):
            name, command, arguments = command.resolve_command(context, arguments)
        command.make_context(name, arguments, parent=context)


def test_the_readmes_python_runs(workplace):
    [block] = re.findall(r"```python\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.S)
    block = block.replace("dev=100, test=100", "dev=10, test=10")
    subprocess.run([sys.executable, "-c", block], check=True, cwd=workplace)


def test_the_command_reference_is_current():
    page = (REPOSITORY / "docs" / "commands.md").read_text()
    sys.path.insert(0, str(REPOSITORY / "docs"))
    try:
        from reference import reference
    finally:
        sys.path.pop(0)
    assert page == reference(), "run: python docs/reference.py"


def test_every_command_is_in_some_page_beside_the_reference():
    text = "".join(d.read_text() for d in DOCUMENTS if d.name != "commands.md")
    for name in command_line().commands:
        assert f"photochat {name}" in text, name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document):
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_the_targets_that_the_readme_names_exist():
    makefile = (REPOSITORY / "Makefile").read_text()
    for target in re.findall(r"`?make ([a-z-]+)", (REPOSITORY / "README.md").read_text()):
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_the_examples_of_extending_run(tmp_path):
    """Each as it stands, and the check finds what it is for."""
    pytest.importorskip("torch")
    blocks = re.findall(
        r"```python\n(.*?)```", (REPOSITORY / "docs" / "extending.md").read_text(), re.S
    )
    check, recruiter, model = blocks
    proof = """
from photochat.dialogue import Dialogue, Turn
from verification.check import NAMES
talk = Talk(Dialogue((Turn("Look at this!!!!!", False, 0), Turn("ok!", False, 1)), 1, "", ""))
[finding] = excited(talk)
assert (finding.turn, finding.check in NAMES) == (0, False)
"""
    for number, code in enumerate((check + proof, recruiter, model)):
        exec(compile(code, f"extending.md, block {number + 1}", "exec"), {"__name__": "example"})


def test_the_places_that_extending_names_are_there():
    page = (REPOSITORY / "docs" / "extending.md").read_text()
    places = re.findall(r"`(\w+)`\s+in\s+`([a-z_/]+\.py)`", page)
    assert {"PLAIN", "RecruiterName", "ModelSettings", "BUILDERS"} <= {name for name, _ in places}
    for name, file in places:
        assert re.search(rf"^(class |def )?{name}\b", (REPOSITORY / file).read_text(), re.M), name


def test_the_site_builds_from_these_files_alone(tmp_path):
    """Strictly: every link leads somewhere; and no page asks a network for anything."""
    pytest.importorskip("mkdocs")
    result = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-3000:]
    for page in tmp_path.rglob("*.html"):
        loaded = re.findall(
            r"""<(?:script|img|link)[^>]*?(?:src|href)=["']?(https?:[^"' >]+)""", page.read_text()
        )
        assert [address for address in loaded if "canonical" not in address] == [], page


def test_every_dependency_is_explained():
    """By name in docs/dependencies.md, those for development apart."""
    project = (REPOSITORY / "pyproject.toml").read_text()
    asked = project.partition("dependencies = [")[2].partition("docs = [")[0]
    page = (REPOSITORY / "docs" / "dependencies.md").read_text()
    for name in re.findall(r'^ +"([A-Za-z0-9-]+)', asked, re.M):
        assert name in page, name
