"""What goes wrong with MTurk, in the words of the recruiter interface.

Three kinds. What somebody has to mend before any call can work is a `DataError` that names the next
step. What may work later, or may have worked without our hearing of it, is a `TryAgainError`. The
rest is the platform's answer to this one call, told apart by its TurkErrorCode; error codes are
those of the Requester API's reference, the wording of a used token that of the live service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from collection.recruiting.recruiter import (
    AlreadyDoneError,
    NoMoneyError,
    NotThereError,
    RecruiterError,
    TryAgainError,
)
from photochat.errors import DataError

_NOT_OURS = {
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "ExpiredToken",
    "ExpiredTokenException",
    "AuthFailure",
    "OptInRequired",
}
_NOT_ALLOWED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"}
_LATER = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "ServiceFault",
    "ServiceUnavailable",
    "InternalFailure",
}
_GONE = {"403", "404", "405", "410", "UnknownOperationException", "UnknownOperation"}
_USED_TOKEN = re.compile(r"already been (processed|used)|idempotency token|request ?token", re.I)
_MAYBE_ID = re.compile(r"\b[A-Z0-9]{20,64}\b")


@contextmanager
def translated(endpoint: str) -> Iterator[None]:
    """Turn what botocore raises inside the block into the interface's errors.

    Raises:
        DataError: nothing works before somebody acts: credentials, region, endpoint.
        RecruiterError: the platform's answer to this call, or a kind of it.
    """
    from botocore import exceptions as boto

    try:
        yield
    except (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError):
        raise DataError(
            "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE) "
            "to those of the account that is linked to your MTurk requester account",
            field="AWS_ACCESS_KEY_ID",
        ) from None
    except (boto.ProfileNotFound, boto.ConfigParseError, boto.ConfigNotFound) as error:
        raise DataError(
            f"{error}: name a profile of ~/.aws/credentials", field="AWS_PROFILE"
        ) from error
    except (
        boto.DataNotFoundError
    ) as error:  # the service's model, of which UnknownServiceError is one
        raise DataError(
            "this version of botocore no longer knows MTurk: install one that does, for example "
            "pip install 'boto3==1.40.0', or choose another recruiter in the campaign file"
        ) from error
    except boto.ClientError as error:
        raise _answer(error, endpoint) from error
    except (boto.SSLError, boto.ProxyConnectionError) as error:
        raise DataError(
            f"the connection is not safe ({_short(error)}): does the address begin with the right "
            "https:// or http://, and is its certificate valid?",
            file=endpoint,
        ) from error
    except boto.EndpointConnectionError as error:
        raise DataError(
            f"nobody answers there ({_short(error)}): {_next_step(endpoint)}", file=endpoint
        ) from error
    except boto.ParamValidationError as error:
        raise RecruiterError(f"not a valid request: {_short(error)}") from error
    except boto.BotoCoreError as error:
        # Timeouts, cut connections, half answers: it may have been carried out.
        raise TryAgainError(f"no answer ({_short(error)})") from error


def code_of(error: Any) -> str:
    """Return the TurkErrorCode without its prefix; "" where there is none."""
    response = error.response
    code = response.get("TurkErrorCode") or response.get("Error", {}).get("TurkErrorCode") or ""
    return str(code).rsplit(".", 1)[-1]


def _answer(error: Any, endpoint: str) -> Exception:
    response = error.response
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    name = str(response.get("Error", {}).get("Code", ""))
    text = _short(response.get("Error", {}).get("Message") or response.get("Message") or error)
    code = code_of(error)
    if name in _NOT_OURS or (name in _NOT_ALLOWED and "scoped" in text):
        if "region" in text.lower():
            return DataError(
                f"wrong region ({text}): MTurk is served from us-east-1 only, under its own "
                "endpoints; leave out --endpoint to use them",
                file=endpoint,
            )
        return DataError(
            f"the AWS credentials are not accepted ({text}): check AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY and, for temporary ones, AWS_SESSION_TOKEN",
            file=endpoint,
        )
    if name in _NOT_ALLOWED or code in _NOT_ALLOWED or "linked to your" in text:
        return DataError(
            f"the AWS account may not do this ({text}): give its user the policy "
            "AmazonMechanicalTurkFullAccess, and link the account under "
            "https://requester.mturk.com/developer (the sandbox is linked apart)",
            file=endpoint,
        )
    if name in _LATER or code in _LATER or status >= 500 or status == 429:
        return TryAgainError(f"{name or status}: {text}")
    if name in _GONE:
        return DataError(
            f"answers HTTP {status} and does not speak MTurk's protocol: {_next_step(endpoint)}",
            file=endpoint,
        )
    return _by_code(code, text)


def _by_code(code: str, text: str) -> RecruiterError:
    lower = code.lower()
    shown = f"{text} ({code})" if code else text
    if lower == "insufficientfunds":
        return NoMoneyError(f"{shown}: add money to the requester account, then run it again")
    if lower == "hitalreadyexists" or _USED_TOKEN.search(text):
        found = _MAYBE_ID.search(text)
        return AlreadyDoneError(shown, found[0] if found else None)
    if lower.endswith("doesnotexist"):
        return NotThereError(shown)
    return RecruiterError(shown)


def _next_step(endpoint: str) -> str:
    if "amazonaws.com" in endpoint:
        return (
            "Amazon announced that MTurk closes for good on 30 September 2026; if your network is "
            'well, choose another recruiter in the campaign file ("prolific", "link"), or rehearse '
            "with photochat mturk-emulator and --endpoint"
        )
    return "is it running, and is this its address? (photochat mturk-emulator serves one)"


def _short(error: object) -> str:
    return " ".join(str(error).split())[:300]
