"""What schemathesis cannot be told by settings: who may do what, and which refusals are explained.

CALLER is the user whose token the requests carry, SCOPES what it holds, separated by spaces, and ORDERS
the ids of some orders of each user, by name, in JSON.
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
    """The reason of a refusal and what it says in words; ("", "") for an answer that is none."""
    if response.status_code < 400:
        return "", ""
    status = response.json()
    for detail in status["details"]:
        if detail["@type"] == "type.googleapis.com/google.rpc.ErrorInfo":
            return detail["reason"], status["message"]
    return "", status["message"]


def user_of(case):
    """The user whom a request is about."""
    if "userId" in (case.path_parameters or {}):
        return case.path_parameters["userId"]
    return case.body.get("userId") if isinstance(case.body, dict) else None


def may(case):
    """Whether `security` of the operation lets the caller do this; None if that is not the question."""
    if case.meta is None or case.meta.generation.mode.is_negative:
        return None
    needs = [set(one["bearer"]) for one in case.operation.definition.raw["security"]]
    is_own = set() in needs and user_of(case) == CALLER
    return is_own or any(scopes and scopes <= SCOPES for scopes in needs)


@schemathesis.check
def security_is_kept(ctx, response, case):
    """403 to everybody whom the document does not let in, whatever there is; to nobody else."""
    allowed = may(case)
    if allowed is None or response.status_code in (400, 401):
        return
    said_no = refusal(response)[0] == "PERMISSION_DENIED"
    assert said_no != allowed, f"{CALLER} was {'' if said_no else 'not '}refused, against `security`"


@schemathesis.check
class ExplainedRefusal:
    """A refusal names a reason that its operation documents; to a good request, one that is accepted."""

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
    """What is refused each time it is tried, though it is allowed, has not been looked at."""

    ENOUGH_TRIES = 100

    def __init__(self):
        self.tries = Counter()
        self.successes = Counter()

    def after_response(self, ctx, response, case):
        if may(case):
            self.tries[case.operation.label] += 1
            # An account there is already: nothing more can come of that.
            self.successes[case.operation.label] += response.status_code < 300 or response.status_code == 409

    def after_run(self, ctx):
        often = [label for label, tries in self.tries.items() if tries >= self.ENOUGH_TRIES]
        never = [label for label in often if self.successes[label] == 0]
        assert not never, f"never answered: {never}"


@schemathesis.hook
def flatmap_path_parameters(context, path_parameters):
    """Puts orders that there are in the place of some that nobody has heard of."""
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
    """Leaves out what is no lie: proto JSON reads an enum's number like its name.

    The document has the names alone, so that clients' types have them alone.
    """
    by_number = str((case.query or {}).get("status")) in ("0", "1", "2", "3", "4", "5")
    return not (isinstance(failure, AcceptedNegativeData) and by_number)
