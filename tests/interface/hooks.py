"""What schemathesis can't know of the host by itself."""

import os
from pathlib import Path

import schemathesis
from hypothesis import strategies as st

_FOLDER = Path(os.environ.get("SAMSYN_INTERFACE_COMPONENTS", "target/plugins"))
_COMPONENTS = [file.read_bytes() for file in sorted(_FOLDER.glob("*.wasm"))]

# Components, the beginnings of some, and bytes that are none.
_HEADER = b"\0asm\x0d\0\x01\0"
schemathesis.openapi.media_type(
    "application/wasm",
    st.one_of(
        st.sampled_from(_COMPONENTS or [_HEADER]),
        st.sampled_from(_COMPONENTS or [_HEADER]).map(lambda component: component[: len(component) // 2]),
        st.binary(max_size=64).map(lambda rest: _HEADER + rest),
        st.binary(max_size=64),
    ),
)

# Registry files that change nothing or little, files that can't be applied, and texts that are none.
schemathesis.openapi.media_type(
    "application/toml",
    st.one_of(
        st.sampled_from(
            [
                b"registry = 1\n",
                b"registry = 1\n[fields.tried]\ntype = \"text\"\n",
                b"registry = 1\n[sources]\nnobody = \"nobody\"\n",
                b"registry = 2\n",
            ]
        ),
        st.text(max_size=64).map(str.encode),
    ),
)

# Registry files that say a little, and texts that are none.
schemathesis.openapi.media_type(
    "application/toml",
    st.one_of(
        st.sampled_from(["", '[identifiers.email]\nnormaliser = "email"\nstrength = 5\n', '[fields.size]\ntype = "text"\n']),
        st.text(),
    ).map(lambda text: text.encode("utf-8", "replace")),
)


def _without_points(value):
    """5.0 as 5: one number to JSON Schema, but most calls take a whole number only without a point."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_without_points(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_points(item) for key, item in value.items()}
    return value


@schemathesis.hook
def map_case(context, case):
    """What a schema takes and the host rightly doesn't isn't sent as if it were right."""
    if not case.meta or not case.meta.generation.mode.is_positive:
        return case
    # A cursor is what an answer gave; one that was made up is refused whatever its form.
    if case.query:
        case.query.pop("cursor", None)
    # Bytes are left alone: what is assigned is looked at again, and they have no form.
    if isinstance(case.body, (dict, list)):
        case.body = _without_points(case.body)
    return case


# What is said of data that hasn't the form of its schema. Said of any other, one of the two is wrong.
_OF_FORM = {
    "application-invalid",
    "body-incomplete",
    "body-too-large",
    "duplicate-key",
    "filter-empty",
    "malformed-json",
    "missing-key",
    "name-invalid",
    "not-utf8",
    "nothing-proposed",
    "precondition-invalid",
    "query-invalid",
    "reference-invalid",
    "unknown-content-type",
    "unknown-encoding",
    "unknown-key",
    "wrong-type",
}
# Where the dictionary or HTTP says more of the form than the schema can.
_MORE_THAN_FORM = {
    "assignSources": {"missing-key"},  # `fields`, or `from` with `all`
    "bindEndpoint": {"wrong-type"},  # what a URL, a header, a network, a duration or a rate can be
    "installCapability": {"query-invalid"},  # `deliver` goes with `from=start` alone
    "makeToken": {"wrong-type"},  # 64 bytes of a name in a scope
    "retryParked": {"filter-empty"},  # one that isn't null
    "skipParked": {"filter-empty"},
    "proposeValues": {"precondition-invalid", "wrong-type"},  # one strong ETag; the field's type
    "setCapability": {"wrong-type"},  # the setting's type
    "takeEvents": {"name-invalid", "wrong-type"},  # 128 bytes of a property's name; the field's type
}


@schemathesis.check
def right_form_is_never_called_wrong(ctx, response, case):
    """Data of the right form may be refused for what it says, never for its form."""
    if not case.meta or not case.meta.generation.mode.is_positive or response.status_code < 400:
        return
    if not response.headers.get("content-type", [""])[0].startswith("application/problem+json"):
        return
    code = response.json()["code"]
    known = _MORE_THAN_FORM.get(case.operation.definition.raw["operationId"], set())
    if code in _OF_FORM - known:
        raise AssertionError(f"{code}, though the data has the form that the description asks for")


@schemathesis.check
def problem_is_one_of_the_calls(ctx, response, case):
    """Which problems a call can answer with stands in its description, as the names of their examples."""
    if not response.headers.get("content-type", [""])[0].startswith("application/problem+json"):
        return
    answers = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    known = answers.get("content", {}).get("application/problem+json", {}).get("examples", {})
    code = response.json()["code"]
    # A method that the path doesn't take is no call at all.
    if code not in known and code != "method-not-allowed":
        raise AssertionError(f"{code} is no problem of this call with the status {response.status_code}")
