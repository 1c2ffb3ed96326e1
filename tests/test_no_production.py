"""That no test can reach a platform where people are paid."""

import os
import socket
import subprocess
import sys
from decimal import Decimal

import pytest

from collection.recruiting import mturk
from tests.guard.no_production import is_forbidden


def reached(host=""):
    """The guard's error, which stands under another module in processes that tests started."""
    return pytest.raises(BaseException, match=f"a test tried to reach .*{host}")


@pytest.mark.parametrize("endpoint", [mturk.PRODUCTION, mturk.SANDBOX])
def test_a_recruiter_that_asks_mturk_itself_fails_loudly(endpoint, monkeypatch):
    """The whole way through boto3, which swallows no such error."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    turk = mturk.Mturk(mturk.connect(endpoint), "campaign")
    with reached("amazonaws"):
        turk.balance()
    with reached():
        turk.bonus(worker="A1", submission="3X", amount=Decimal("1.00"), reason="r", token="t")


@pytest.mark.parametrize("host", ["api.prolific.com", "www.mturk.com", "S3.AmazonAWS.com."])
def test_a_name_is_not_even_looked_up(host):
    """By any of the calls that libraries use."""
    with reached():
        socket.getaddrinfo(host, 443)
    with reached():
        socket.create_connection((host, 443))
    with reached():
        socket.gethostbyname(host)


def test_the_guard_stands_in_processes_that_tests_start():
    """Under gevent as well, whose sockets are its own."""
    code = (
        "from gevent import monkey; monkey.patch_all()\n"
        "import socket; socket.create_connection(('api.prolific.com', 443))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 1
    assert "ProductionReachedError" in result.stderr


def test_nobodys_credentials_are_at_hand():
    """Neither in the environment nor in files nor from a machine's role."""
    assert not [n for n in os.environ if n.startswith("AWS_") and ("KEY" in n or "TOKEN" in n)]
    assert "PHOTOCHAT_PROLIFIC_TOKEN" not in os.environ
    assert os.environ["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert os.environ["AWS_EC2_METADATA_DISABLED"] == "true"


def test_hosts_that_only_look_alike_are_let_through():
    """The guard is about names, whole."""
    assert not is_forbidden("notamazonaws.com")
    assert not is_forbidden("127.0.0.1")
    assert is_forbidden(b"mturk-requester.us-east-1.amazonaws.com")
