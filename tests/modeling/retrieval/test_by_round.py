"""After every round: one pass gives what the prefixes give one by one, and the page shows it."""

import msgspec
import numpy as np
import pytest
import torch

from modeling.retrieval.by_round import evaluate_by_round, ranks_by_round
from modeling.retrieval.encoding import Encoder, ranks_in
from modeling.retrieval.examples import RetrievalExamples
from modeling.retrieval.kinds import build_retriever
from modeling.retrieval.rounds import prefixes
from modeling.retrieval.settings import DianaSettings, VseSettings
from modeling.training.device import open_accelerator
from photochat.release import read_release
from tests.modeling.retrieval.known_answer import Squares
from tests.modeling.retrieval.small_runs import keep_run, write_small_release
from tests.modeling.retrieval.test_kinds import DEV, TEXTS, settings

LLAMA = DianaSettings(
    dialogue="tiny-llama", pooling="last", image="tiny-cnn", width=16, slots=3, heads=2
)
MODELS = {
    "vse++": VseSettings(image="tiny-cnn", width=16),
    "diana": LLAMA,
    "diana both ways": msgspec.structs.replace(LLAMA, dialogue="tiny-bert", pooling="mean"),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "options", [{}, {"speakers": "all"}, {"speakers": "all", "max_length": 9}, {"last_turns": 2}]
)
def test_all_prefixes_at_once_are_the_prefixes_one_by_one(model, options):
    retriever = build_retriever(settings(MODELS[model], **options), texts=TEXTS, pictures=Squares())
    encoder = Encoder(retriever, open_accelerator("cpu"))
    queries = (*DEV.queries[:5], msgspec.structs.replace(DEV.queries[0], turns=()))
    assert encoder.reads_rounds == (model != "diana both ways")
    at_once = encoder.rounds(queries)
    alone = encoder.queries([prefix for query in queries for prefix in prefixes(query)])
    for name, tensor in alone.items():
        torch.testing.assert_close(at_once[name], tensor, atol=1e-5, rtol=0)


def test_the_last_round_is_the_whole_talk():
    retriever = build_retriever(settings(MODELS["vse++"]), texts=TEXTS, pictures=Squares())
    few = RetrievalExamples(DEV.photos, DEV.queries[:40])
    accelerator = open_accelerator("cpu")
    ranks, best = ranks_by_round(Encoder(retriever, accelerator), few, Squares())
    whole = ranks_in(retriever, few, accelerator, Squares())
    assert [own[-1] for own in ranks] == whole.tolist()
    assert [len(own) for own in ranks] == [len(query.turns) for query in few.queries]
    assert len(best) == 30
    assert all(len(photos) == 3 for own in best for photos in own)


def test_a_run_is_measured_round_by_round_and_its_page_is_escaped(tmp_path):
    release, _ = write_small_release(tmp_path)
    keep_run(release, tmp_path / "run", "label")
    result = evaluate_by_round(read_release(release), tmp_path / "run", resamples=20, device="cpu")
    assert [row.round for row in result.rounds] == [1, 2, 3, 4]
    assert not result.one_pass
    table = np.array(result.ranks)
    assert result.rounds[-1].metrics["recall@5"].value == pytest.approx(
        100 * (table[:, -1] <= 5).mean()
    )
    page = (tmp_path / "run" / "rounds.html").read_text()
    assert "<b>bold</b>" not in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "SECRET" not in page
    assert (tmp_path / "run" / "rounds" / "test.json").is_file()
