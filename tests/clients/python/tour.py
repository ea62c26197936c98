"""The tour of README.md with stock grpcio and only the protos of Settle.

Called with the edge's address; the tokens of a user and of an admin are in TOKEN and ADMIN_TOKEN, the
user's name in USER_ID. Exits with 0 if everything matches the contract.
"""

import os
import sys

import grpc
from google.rpc import error_details_pb2, status_pb2
from money.v1.money_pb2 import Money
from orders.v1 import order_pb2, orders_service_pb2, orders_service_pb2_grpc
from payments.v1 import account_pb2, payment_pb2, payments_service_pb2, payments_service_pb2_grpc

DEADLINE_S = 20
user = os.environ["USER_ID"]
as_user = (("authorization", f"Bearer {os.environ['TOKEN']}"),)
as_admin = (("authorization", f"Bearer {os.environ['ADMIN_TOKEN']}"),)


def euros(minor_units):
    return Money(minor_units=minor_units, currency="EUR")


def refusal(call):
    """Returns the status code and the reason in the ErrorInfo of a call that must be refused."""
    try:
        answer = call()
    except grpc.RpcError as error:
        packed = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
        info = error_details_pb2.ErrorInfo()
        for detail in status_pb2.Status.FromString(packed).details:
            if detail.Is(info.DESCRIPTOR):
                detail.Unpack(info)
        return error.code(), info.reason
    raise AssertionError(f"not refused: {answer}")


def tour(channel):
    orders = orders_service_pb2_grpc.OrdersServiceStub(channel)
    payments = payments_service_pb2_grpc.PaymentsServiceStub(channel)

    def call(method, request, *more, caller=as_user):
        return method(request, metadata=caller + more, timeout=DEADLINE_S)

    create = payments_service_pb2.CreateAccountRequest(user_id=user, currency="EUR")
    assert call(payments.CreateAccount, create).balance == euros(0)
    assert refusal(lambda: call(payments.CreateAccount, create)) == (
        grpc.StatusCode.ALREADY_EXISTS,
        "ACCOUNT_ALREADY_EXISTS",
    )
    deposit = payments_service_pb2.DepositRequest(user_id=user, amount=euros(1000))
    key = ("idempotency-key", "python-top-up")
    for _ in range(2):
        assert call(payments.Deposit, deposit, key).balance == euros(1000)

    buy = orders_service_pb2.CreateOrderRequest(
        user_id=user, amount=euros(250), description="two tickets"
    )
    order = call(orders.CreateOrder, buy, ("prefer", "wait=10"))
    assert order.status == order_pb2.ORDER_STATUS_PAID, order
    account = payments_service_pb2.GetAccountRequest(user_id=user)
    assert call(payments.GetAccount, account).balance == euros(750)

    watch = orders.WatchOrders(
        orders_service_pb2.WatchOrdersRequest(user_id=user, after_revision=order.revision),
        metadata=as_user,
    )
    assert next(watch).WhichOneof("event") == "heartbeat"
    boat = orders_service_pb2.CreateOrderRequest(user_id=user, amount=euros(5000))
    boat_id = call(orders.CreateOrder, boat).id
    for answer in watch:
        if answer.order.status == order_pb2.ORDER_STATUS_PAYMENT_DECLINED:
            assert answer.order.id == boat_id
            break
    watch.cancel()

    cancel = orders_service_pb2.CancelOrderRequest(user_id=user, order_id=order.id)
    assert refusal(lambda: call(orders.CancelOrder, cancel)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "ORDER_NOT_CANCELLABLE",
    )
    refund = payments_service_pb2.RefundPaymentRequest(user_id=user, order_id=order.id)
    assert refusal(lambda: call(payments.RefundPayment, refund)) == (
        grpc.StatusCode.PERMISSION_DENIED,
        "PERMISSION_DENIED",
    )
    payment = call(payments.RefundPayment, refund, caller=as_admin)
    assert payment.outcome == payment_pb2.PAYMENT_OUTCOME_PAID
    assert payment.refunded_amount == euros(250)
    entries = call(
        payments.ListLedgerEntries, payments_service_pb2.ListLedgerEntriesRequest(user_id=user)
    ).entries
    assert [(entry.kind, entry.amount.minor_units) for entry in entries] == [
        (account_pb2.LEDGER_ENTRY_KIND_REFUND, 250),
        (account_pb2.LEDGER_ENTRY_KIND_PAYMENT, -250),
        (account_pb2.LEDGER_ENTRY_KIND_DEPOSIT, 1000),
    ]
    wrong = orders_service_pb2.CreateOrderRequest(user_id=user, amount=euros(0))
    assert refusal(lambda: call(orders.CreateOrder, wrong)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "VALIDATION_FAILED",
    )
    nobody = payments_service_pb2.GetAccountRequest(user_id=user)
    code, _ = refusal(lambda: call(payments.GetAccount, nobody, caller=()))
    assert code == grpc.StatusCode.UNAUTHENTICATED


if __name__ == "__main__":
    with grpc.insecure_channel(sys.argv[1]) as opened:
        tour(opened)
    print("the tour is as the contract says")
