import pytest

from tests.stub_endpoint import StubEndpoint


@pytest.fixture
def stub():
    """An endpoint that answers by the schema that is asked for."""
    endpoint = StubEndpoint()
    yield endpoint
    endpoint.stop()
