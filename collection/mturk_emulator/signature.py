"""Who calls: AWS Signature Version 4, as far as a rehearsal needs it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from werkzeug.datastructures import Headers

from collection.mturk_emulator.refusals import Refused

REGION = "us-east-1"
SIGNING_NAME = "mturk-requester"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/\s]+)/(?P<day>\d{8})/(?P<region>[^/]+)/"
    r"(?P<service>[^/]+)/aws4_request, ?SignedHeaders=(?P<headers>[\w;-]+), ?"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True)
class Key:
    """The one key that is accepted. Without a secret signatures are not computed."""

    access_key: str
    secret: str = ""


def check_signature(method: str, url: str, headers: Headers, body: bytes, key: Key | None) -> None:
    """Check a request's signature: its form and scope, and where a key is given, the key.

    Raises:
        Refused: with the code that AWS has for it.
    """
    header = headers.get("Authorization", "")
    if not header:
        raise Refused("MissingAuthenticationTokenException", "Missing Authentication Token")
    found = _AUTHORIZATION.fullmatch(header)
    if found is None:
        raise Refused(
            "IncompleteSignatureException",
            "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature'.",
        )
    if key is not None and found["key"] != key.access_key:
        raise Refused(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    for name, wanted in (("region", REGION), ("service", SIGNING_NAME)):
        if found[name] != wanted:
            raise Refused(
                "InvalidSignatureException",
                f"Credential should be scoped to a valid {name}, not '{found[name]}'.",
            )
    if key is not None and key.secret:
        signed = {name: headers.get(name, "") for name in found["headers"].split(";")}
        if _signature(method, url, signed, body, key) != found["signature"]:
            raise Refused(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. "
                "Check your AWS Secret Access Key and signing method.",
            )


def _signature(method: str, url: str, signed: Mapping[str, str], body: bytes, key: Key) -> str:
    auth = SigV4Auth(Credentials(key.access_key, key.secret), SIGNING_NAME, REGION)
    request = AWSRequest(method=method, url=url, data=body, headers=dict(signed))
    request.context["timestamp"] = signed.get("x-amz-date", "")
    text = auth.string_to_sign(request, auth.canonical_request(request))
    return str(auth.signature(text, request))
