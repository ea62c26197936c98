"""The journey (see ../../journey.ts) with the client of openapi-generator's python."""

import json
import os
import sys
from datetime import datetime, timezone
from typing import Callable, List, Optional
from uuid import UUID

from openapi_client import (
    ApiClient,
    Configuration,
    GoogleRpcBadRequest,
    GoogleRpcErrorInfo,
    GoogleRpcStatus,
    MoneyV1Money,
    OrdersServiceApi,
    OrdersV1CreateOrderRequest,
    OrdersV1CreateOrderRequestAmount,
    OrdersV1Order,
    OrdersV1OrderStatus,
    OrdersV1WatchOrdersResponse,
    PaymentsServiceApi,
    PaymentsServiceDepositRequest,
    PaymentsServiceRefundPaymentRequest,
    PaymentsV1CreateAccountRequest,
    PaymentsV1DepositRequestAmount,
    PaymentsV1Payment,
    PaymentsV1RefundPaymentRequestAmount,
)
from openapi_client.exceptions import ApiException

user_id = os.environ["USER_ID"]


def connect(token: Optional[str]) -> ApiClient:
    configuration = Configuration(host=os.environ["EDGE_URL"], access_token=token)
    # By default the client writes the offset of a time without its colon, which is not RFC 3339.
    configuration.datetime_format = "%Y-%m-%dT%H:%M:%S.%fZ"
    return ApiClient(configuration)


user = connect(os.environ["TOKEN"])
orders = OrdersServiceApi(user)
payments = PaymentsServiceApi(user)
admin = PaymentsServiceApi(connect(os.environ["ADMIN_TOKEN"]))


def say(step: str, what: str) -> None:
    print(f"{step}: {what}", flush=True)


def write(money: MoneyV1Money) -> str:
    return f"{money.minor_units} {money.currency}"


def refusal(call: Callable[[], object]) -> str:
    try:
        call()
    except ApiException as error:
        if not isinstance(error.data, GoogleRpcStatus):
            return f"{error.status} without this status"
        words = [str(error.status)]
        for detail in error.data.details:
            if isinstance(detail.actual_instance, GoogleRpcErrorInfo):
                words.append(detail.actual_instance.reason)
            if isinstance(detail.actual_instance, GoogleRpcBadRequest):
                words.extend(one.var_field for one in detail.actual_instance.field_violations)
        return " ".join(words)
    return "not refused"


def order(minor_units: str, description: str, prefer: Optional[str] = None) -> OrdersV1Order:
    amount = OrdersV1CreateOrderRequestAmount(minor_units=minor_units, currency="EUR")
    request = OrdersV1CreateOrderRequest(
        user_id=user_id, amount=amount, description=description
    )
    return orders.orders_service_create_order(request, prefer=prefer)


def watch() -> List[OrdersV1Order]:
    """The client has no server-sent events: this reads the stream itself, up to the first heartbeat."""
    response = orders.orders_service_watch_orders_without_preload_content(user_id)
    seen: List[OrdersV1Order] = []
    for line in response:
        if not line.startswith(b"data:"):
            continue
        message = OrdersV1WatchOrdersResponse.from_dict(json.loads(line[5:]))
        assert message is not None
        if message.heartbeat is not None:
            return seen
        if message.order is not None:
            seen.append(message.order)
    raise RuntimeError("the watch ended before its first heartbeat")


def pay() -> None:
    opening = PaymentsV1CreateAccountRequest(user_id=user_id, currency="EUR")
    say("account", write(payments.payments_service_create_account(opening).balance))
    say("second account", refusal(lambda: payments.payments_service_create_account(opening)))

    for step in ["deposit", "deposit with the same key"]:
        amount = PaymentsV1DepositRequestAmount(minor_units="3000000000", currency="EUR")
        deposit = PaymentsServiceDepositRequest(amount=amount)
        account = payments.payments_service_deposit(user_id, deposit, idempotency_key="top-up")
        say(step, write(account.balance))

    paid = order("2999999999", "two tickets", "wait=10")
    say("order", f"{write(paid.amount)} {paid.status.value}")
    declined = order("1000000000000", "a boat", "wait=10")
    reason = declined.decline_reason.value
    say("larger order", f"{write(declined.amount)} {declined.status.value} {reason}")

    say("balance", write(payments.payments_service_get_account(user_id).balance))
    order_id = UUID(paid.id)
    same = orders.orders_service_get_order(user_id, order_id)
    say("get", f"{same.description} {same.status.value}")

    first = orders.orders_service_list_orders(user_id, page_size=1)
    say("first page", ", ".join(one.description for one in first.orders))
    second = orders.orders_service_list_orders(
        user_id, page_size=1, page_token=first.next_page_token
    )
    is_last = ", the last" if second.next_page_token == "" else ""
    say("second page", ", ".join(one.description for one in second.orders) + is_last)
    status = OrdersV1OrderStatus.ORDER_STATUS_PAID
    found = orders.orders_service_list_orders(user_id, status=status)
    say("paid orders", ", ".join(one.description for one in found.orders))

    early = datetime(1960, 1, 1, tzinfo=timezone.utc)
    refused = refusal(lambda: orders.orders_service_list_orders(user_id, created_after=early))
    say("orders since 1960", refused)

    say("watch", ", ".join(f"{one.description} {one.status.value}" for one in watch()))

    cancel = refusal(lambda: orders.orders_service_cancel_order(user_id, order_id))
    say("cancel of a paid order", cancel)
    part = PaymentsV1RefundPaymentRequestAmount(minor_units="50", currency="EUR")
    refund = PaymentsServiceRefundPaymentRequest(amount=part)

    def refund_by(api: PaymentsServiceApi) -> PaymentsV1Payment:
        return api.payments_service_refund_payment(
            user_id, order_id, payments_service_refund_payment_request=refund
        )

    say("refund by its user", refusal(lambda: refund_by(payments)))
    refunded = refund_by(admin)
    say("refund by an admin", f"{write(refunded.refunded_amount)} {refunded.outcome.value}")

    entries = payments.payments_service_list_ledger_entries(user_id).entries
    say("statement", ", ".join(f"{one.kind.value} {one.amount.minor_units}" for one in entries))
    anonymous = PaymentsServiceApi(connect(None))
    say("without a token", refusal(lambda: anonymous.payments_service_get_account(user_id)))


def cancel_one() -> None:
    whim = order("1", "a whim")
    cancelled = orders.orders_service_cancel_order(user_id, UUID(whim.id))
    say("cancel", cancelled.status.value)


if sys.argv[1] == "cancel":
    cancel_one()
else:
    pay()
