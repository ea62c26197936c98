"""The journey (see ../../journey.ts) with the client of openapi-python-client."""

import json
import os
import sys
from datetime import datetime, timezone
from typing import TypeVar, Union
from uuid import UUID

from api_client import AuthenticatedClient
from api_client.api.orders_service import (
    orders_service_cancel_order,
    orders_service_create_order,
    orders_service_get_order,
    orders_service_list_orders,
)
from api_client.api.payments_service import (
    payments_service_create_account,
    payments_service_deposit,
    payments_service_get_account,
    payments_service_list_ledger_entries,
    payments_service_refund_payment,
)
from api_client.models import (
    GoogleRpcErrorInfo,
    GoogleRpcStatus,
    MoneyV1Money,
    OrdersV1CreateOrderRequest,
    OrdersV1CreateOrderRequestAmount,
    OrdersV1Order,
    OrdersV1OrderStatus,
    OrdersV1WatchOrdersResponse,
    PaymentsServiceDepositBody,
    PaymentsServiceRefundPaymentBody,
    PaymentsV1CreateAccountRequest,
    PaymentsV1DepositRequestAmount,
    PaymentsV1RefundPaymentRequestAmount,
)
from api_client.types import UNSET, Response, Unset

T = TypeVar("T")
user_id = os.environ["USER_ID"]


def connect(token: str) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=os.environ["EDGE_URL"], token=token)


user = connect(os.environ["TOKEN"])
admin = connect(os.environ["ADMIN_TOKEN"])


def say(step: str, what: str) -> None:
    print(f"{step}: {what}", flush=True)


def write(money: MoneyV1Money) -> str:
    return f"{money.minor_units} {money.currency}"


def answer(response: Response[Union[GoogleRpcStatus, T]]) -> T:
    if response.parsed is None or isinstance(response.parsed, GoogleRpcStatus):
        raise RuntimeError(f"refused: {response.content!r}")
    return response.parsed


def refusal(response: Response[Union[GoogleRpcStatus, T]]) -> str:
    if not isinstance(response.parsed, GoogleRpcStatus):
        return "not refused"
    words = [str(response.status_code.value)]
    for detail in response.parsed.details:
        if isinstance(detail, GoogleRpcErrorInfo):
            words.append(detail.reason)
        else:
            words.extend(one.field for one in detail.field_violations)
    return " ".join(words)


def order(minor_units: str, description: str, prefer: Union[str, Unset] = UNSET) -> OrdersV1Order:
    amount = OrdersV1CreateOrderRequestAmount(minor_units=minor_units, currency="EUR")
    body = OrdersV1CreateOrderRequest(user_id=user_id, amount=amount, description=description)
    response = orders_service_create_order.sync_detailed(client=user, body=body, prefer=prefer)
    return answer(response)


def watch() -> list[OrdersV1Order]:
    """The client has no server-sent events: this reads the stream itself, up to the first heartbeat."""
    seen: list[OrdersV1Order] = []
    path = f"/gateway/orders/{user_id}:watch"
    with user.get_httpx_client().stream("GET", path) as response:
        for line in response.iter_lines():
            if not line.startswith("data:"):
                continue
            message = OrdersV1WatchOrdersResponse.from_dict(json.loads(line[5:]))
            if not isinstance(message.heartbeat, Unset):
                return seen
            if not isinstance(message.order, Unset):
                seen.append(message.order)
    raise RuntimeError("the watch ended before its first heartbeat")


def pay() -> None:
    create = payments_service_create_account.sync_detailed
    opening = PaymentsV1CreateAccountRequest(user_id=user_id, currency="EUR")
    say("account", write(answer(create(client=user, body=opening)).balance))
    say("second account", refusal(create(client=user, body=opening)))

    for step in ["deposit", "deposit with the same key"]:
        amount = PaymentsV1DepositRequestAmount(minor_units="3000000000", currency="EUR")
        deposited = payments_service_deposit.sync_detailed(
            user_id,
            client=user,
            body=PaymentsServiceDepositBody(amount=amount),
            idempotency_key="top-up",
        )
        say(step, write(answer(deposited).balance))

    paid = order("2999999999", "two tickets", "wait=10")
    say("order", f"{write(paid.amount)} {paid.status.value}")
    declined = order("1000000000000", "a boat", "wait=10")
    reason = declined.decline_reason.value
    say("larger order", f"{write(declined.amount)} {declined.status.value} {reason}")

    account = payments_service_get_account.sync_detailed(user_id, client=user)
    say("balance", write(answer(account).balance))
    order_id = UUID(paid.id)
    same = answer(orders_service_get_order.sync_detailed(user_id, order_id, client=user))
    say("get", f"{same.description} {same.status.value}")

    list_orders = orders_service_list_orders.sync_detailed
    first = answer(list_orders(user_id, client=user, page_size=1))
    say("first page", ", ".join(one.description for one in first.orders))
    token = first.next_page_token
    second = answer(list_orders(user_id, client=user, page_size=1, page_token=token))
    is_last = ", the last" if second.next_page_token == "" else ""
    say("second page", ", ".join(one.description for one in second.orders) + is_last)
    status = OrdersV1OrderStatus.ORDER_STATUS_PAID
    found = answer(list_orders(user_id, client=user, status=status))
    say("paid orders", ", ".join(one.description for one in found.orders))

    early = datetime(1960, 1, 1, tzinfo=timezone.utc)
    say("orders since 1960", refusal(list_orders(user_id, client=user, created_after=early)))

    say("watch", ", ".join(f"{one.description} {one.status.value}" for one in watch()))

    cancelled = orders_service_cancel_order.sync_detailed(user_id, order_id, client=user)
    say("cancel of a paid order", refusal(cancelled))
    refund = payments_service_refund_payment.sync_detailed
    fifty = PaymentsV1RefundPaymentRequestAmount(minor_units="50", currency="EUR")
    part = PaymentsServiceRefundPaymentBody(amount=fifty)
    say("refund by its user", refusal(refund(user_id, order_id, client=user, body=part)))
    refunded = answer(refund(user_id, order_id, client=admin, body=part))
    say("refund by an admin", f"{write(refunded.refunded_amount)} {refunded.outcome.value}")

    statement = payments_service_list_ledger_entries.sync_detailed(user_id, client=user)
    entries = answer(statement).entries
    say("statement", ", ".join(f"{one.kind.value} {one.amount.minor_units}" for one in entries))
    # The client wants a token; this one is refused like none.
    anonymous = payments_service_get_account.sync_detailed(user_id, client=connect("none"))
    say("without a token", refusal(anonymous))


def cancel_one() -> None:
    whim = order("1", "a whim")
    cancelled = orders_service_cancel_order.sync_detailed(user_id, UUID(whim.id), client=user)
    say("cancel", answer(cancelled).status.value)


if sys.argv[1] == "cancel":
    cancel_one()
else:
    pay()
