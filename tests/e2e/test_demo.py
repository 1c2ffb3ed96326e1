"""The demonstration runs from start to end, and again."""

from photochat.release import read_release


def test_the_demo_leaves_a_release_plots_and_a_package(run_photochat, tmp_path):
    out = tmp_path / "demo"
    status, said, _ = run_photochat("demo", "--out", out)
    assert status == 0
    for command in ("validate", "split", "stats", "evaluate bm25", "package"):
        assert f"$ photochat {command}" in said
    assert len(read_release(out / "release").dialogues) == 128
    assert (out / "plots" / "themes.svg").exists()
    assert (out / "package" / "croissant.json").exists()
    status, _, err = run_photochat("demo", "--out", out)
    assert (status, "--force" in err) == (2, True)
    assert run_photochat("demo", "--out", out, "--force")[0] == 0
