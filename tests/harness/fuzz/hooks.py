"""Checks that need more than settings: who may do what, and which refusals are explained.

CALLER is the user of the token in the requests, SCOPES its scopes, separated by spaces, and ORDERS the
ids of some orders of each user, by user name, in JSON.
"""

import json
import os
from collections import Counter
from uuid import UUID

import schemathesis
from hypothesis import strategies
from schemathesis.core.failures import AcceptedNegativeData

CALLER = os.environ["CALLER"]
SCOPES = set(os.environ["SCOPES"].split())
ORDERS = json.loads(os.environ["ORDERS"])


def refusal(response):
    """Returns the reason and the message of a refusal; ("", "") for any other response."""
    if response.status_code < 400:
        return "", ""
    status = response.json()
    for detail in status["details"]:
        if detail["@type"] == "type.googleapis.com/google.rpc.ErrorInfo":
            return detail["reason"], status["message"]
    return "", status["message"]


def user_of(case):
    """Returns the user in a request."""
    if "userId" in (case.path_parameters or {}):
        return case.path_parameters["userId"]
    return case.body.get("userId") if isinstance(case.body, dict) else None


def may(case):
    """Whether `security` of the operation permits the caller; None for invalid requests."""
    if case.meta is None or case.meta.generation.mode.is_negative:
        return None
    needs = [set(one["bearer"]) for one in case.operation.definition.raw["security"]]
    is_own = set() in needs and user_of(case) == CALLER
    return is_own or any(scopes and scopes <= SCOPES for scopes in needs)


@schemathesis.check
def security_is_kept(ctx, response, case):
    """All callers that the document does not permit get 403, and no others."""
    allowed = may(case)
    if allowed is None or response.status_code in (400, 401):
        return
    said_no = refusal(response)[0] == "PERMISSION_DENIED"
    assert said_no != allowed, f"{CALLER} was {'' if said_no else 'not '}refused, against `security`"


@schemathesis.check
class ExplainedRefusal:
    """A refusal has a reason that its operation documents; for a valid request, an accepted one."""

    def __init__(self, accepted, accepted_rules):
        self.accepted = accepted
        self.rules = accepted_rules

    def after_response(self, ctx, response, case):
        reason, message = refusal(response)
        if response.status_code < 400:
            return
        documented = case.operation.definition.raw["responses"].get(str(response.status_code), {})
        assert reason in documented.get("x-error-reasons", []), f"{reason} is not documented"
        if case.meta is None or case.meta.generation.mode.is_negative or reason in self.accepted:
            return
        assert self.is_accepted_rule(message), f"{reason} is explained nowhere: {message}"

    def is_accepted_rule(self, message):
        return all(any(rule in part for rule in self.rules) for part in message.split("; "))


@schemathesis.check
class SeenFromInside:
    """An operation whose permitted calls always fail has not been tested."""

    ENOUGH_TRIES = 100

    def __init__(self):
        self.tries = Counter()
        self.successes = Counter()

    def after_response(self, ctx, response, case):
        if may(case):
            self.tries[case.operation.label] += 1
            # The account already exists: the call cannot succeed.
            self.successes[case.operation.label] += response.status_code < 300 or response.status_code == 409

    def after_run(self, ctx):
        often = [label for label, tries in self.tries.items() if tries >= self.ENOUGH_TRIES]
        never = [label for label in often if self.successes[label] == 0]
        assert not never, f"never answered: {never}"


@schemathesis.hook
def flatmap_path_parameters(context, path_parameters):
    """Replaces some unknown order ids by existing ones."""
    named = path_parameters or {}
    orders = ORDERS.get(str(named.get("userId")), []) if is_uuid(named.get("orderId")) else []
    known = [{**named, "orderId": order} for order in orders]
    return strategies.sampled_from([path_parameters, *known])


def is_uuid(value):
    try:
        return str(UUID(value)) == value
    except (AttributeError, TypeError, ValueError):
        return False


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Ignores what proto JSON accepts beyond the document, each by its name here.

    The document contains one form of each value, so that the types of clients contain only that one.
    """
    enum_number = str((case.query or {}).get("status")) in ("0", "1", "2", "3", "4", "5")
    accepted = enum_number or is_int64_number(case.body)
    return not (isinstance(failure, AcceptedNegativeData) and accepted)


def is_int64_number(body):
    """Whether an amount has its 64-bit integer as a JSON number; the document has strings only."""
    amount = body.get("amount") if isinstance(body, dict) else None
    units = amount.get("minorUnits") if isinstance(amount, dict) else None
    return isinstance(units, (int, float)) and not isinstance(units, bool) and units == int(units)
