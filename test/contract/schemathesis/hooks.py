"""Leads cases to things that exist: made-up ids would meet nothing but 404.

Only cases that fit the document are changed, and each in a way that its own content decides, so that a run
can be repeated. THINGS holds, by the name of a parameter, the ids that may stand there.
"""

import json
import os
import zlib

import schemathesis

THINGS = json.loads(os.environ["THINGS"])
# What would take the ground from under the other cases.
KEPT = {
    ("DELETE", "/api/v1/organizations/{organizationId}"),
    ("DELETE", "/api/v1/account-keys/{accountKeyId}"),
}


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    state_facts(case)
    if case.meta.phase.name == "stateful":
        # Its ids are those of the answers before.
        return
    operation = case.operation
    if (operation.method.upper(), operation.path) not in KEPT:
        lead(case.path_parameters)
    lead(case.query)
    lead(case.body)


def state_facts(case):
    """What no schema can say: a cursor is what a list gave, a span begins before it ends, a key ends later
    than now, an Idempotency-Key belongs to one request, a schedule has times that come, an RDB file begins
    as such."""
    if isinstance(case.query, dict):
        for name in ("cursor", "from", "to"):
            case.query.pop(name, None)
    if isinstance(case.body, dict) and isinstance(case.body.get("expiresAt"), str):
        case.body["expiresAt"] = "9" + case.body["expiresAt"][1:].replace("-02-29", "-02-28")
    if isinstance(case.body, dict) and isinstance(case.body.get("backups"), dict):
        case.body["backups"]["schedule"] = "0 3 * * *"
    if case.operation.path.endswith("/backups/import"):
        case.body = b"REDIS0010" + str(case.body).encode("utf-8", "replace")
    given = case.headers.get("Idempotency-Key") if case.headers else None
    if isinstance(given, str) and len(given) < 200:
        case.headers["Idempotency-Key"] = given + case.id


def lead(container):
    """Three of four ids become real ones."""
    if not isinstance(container, dict):
        return
    for name, ids in THINGS.items():
        if isinstance(container.get(name), str):
            number = zlib.crc32(container[name].encode("utf-8", "replace"))
            if number % 4:
                container[name] = ids[number % len(ids)]
