"""What the prober needs to know beside the description: how to write bodies that are no JSON, and what there is."""

import os

import schemathesis


def raw(context, value):
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return repr(value).encode()


schemathesis.serializer("application/offset+octet-stream")(raw)
schemathesis.serializer("application/pkcs10")(raw)

KNOWN = {"sha256": os.environ.get("PROBER_SHA256"), "case_id": os.environ.get("PROBER_CASE_ID")}


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Half of the time something that the gateway holds, instead of something that nobody has."""
    for name, known in KNOWN.items():
        value = (path_parameters or {}).get(name)
        if known and isinstance(value, str) and sum(value.encode("utf-8", "replace")) % 2:
            path_parameters[name] = known
    return path_parameters
