"""Evaluates expressions in docker-py or podman-py, for a test that compares.

    python3 -c "$(cat oracle.py)" docker|podman SOCKET

Each line of standard input is {"expr": ..., "id": ..., "with": {...}}: an expression in which client is a client of the
engine at SOCKET, c the container with that ID, freshly looked up, and the members of "with" are variables. Each line of standard output is {"value": ...}, or
{"error": TYPE, "text": ...} when the expression raised. Bytes are {"base64": ...}, iterators are lists, and an object
of the library is its attrs.
"""
import base64
import collections.abc
import datetime
import inspect
import io
import json
import sys

library, socket = sys.argv[1:3]
if library == "docker":
    import docker as module
    import docker.types as types
    from docker.models.resource import Model
    client = module.DockerClient(base_url="unix://" + socket, timeout=600)
else:
    import podman as module
    from podman.domain.manager import PodmanResource as Model
    client = module.PodmanClient(base_url="unix://" + socket, timeout=600)
    types = None


def plain(value):
    """Return value in the terms of JSON."""
    if isinstance(value, (bytes, bytearray)):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, Model):
        return plain(value.attrs)
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (str, int, float, bool, type(None))):
        return value
    if isinstance(value, collections.abc.Iterable):
        return [plain(v) for v in value]
    return repr(value)


def signature(function):
    """Return the names and defaults of a function's arguments."""
    return {p.name: None if p.default is p.empty else repr(p.default) for p in inspect.signature(function).parameters.values()}


for line in sys.stdin:
    call = json.loads(line)
    names = {
        "client": client, "module": module, "types": types, "base64": base64, "datetime": datetime, "io": io, "signature": signature,
        **(call.get("with") or {}),
    }
    try:
        if call.get("id"):
            names["c"] = client.containers.get(call["id"])
        answer = {"value": plain(eval(call["expr"], names))}
    except Exception as e:
        answer = {"error": type(e).__name__, "text": str(e)}
    print(json.dumps(answer), flush=True)
