"""The sample's campaign file, for those who cannot wait."""

from __future__ import annotations

from tests.conftest import SAMPLE


def hurried(**seconds: tuple[int, int]) -> str:
    """Return the file with other timeouts, each given as it is and as it shall be."""
    campaign = (SAMPLE.parent / "campaign.toml").read_text()
    for name, (old, new) in seconds.items():
        assert f"{name} = {old}\n" in campaign, name
        campaign = campaign.replace(f"{name} = {old}\n", f"{name} = {new}\n")
    return campaign
