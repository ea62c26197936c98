import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.OrdersServiceApi;
import org.openapitools.client.api.PaymentsServiceApi;
import org.openapitools.client.model.GoogleRpcBadRequest;
import org.openapitools.client.model.GoogleRpcErrorInfo;
import org.openapitools.client.model.GoogleRpcStatus;
import org.openapitools.client.model.MoneyV1Money;
import org.openapitools.client.model.OrdersV1CreateOrderRequest;
import org.openapitools.client.model.OrdersV1CreateOrderRequestAmount;
import org.openapitools.client.model.OrdersV1Order;
import org.openapitools.client.model.OrdersV1OrderStatus;
import org.openapitools.client.model.OrdersV1WatchOrdersResponse;
import org.openapitools.client.model.PaymentsServiceDepositRequest;
import org.openapitools.client.model.PaymentsServiceRefundPaymentRequest;
import org.openapitools.client.model.PaymentsV1CreateAccountRequest;
import org.openapitools.client.model.PaymentsV1DepositRequestAmount;
import org.openapitools.client.model.PaymentsV1RefundPaymentRequestAmount;

/** The journey (see ../../journey.ts) with the client of openapi-generator's java. */
public class Journey {
  static final String EDGE_URL = System.getenv("EDGE_URL");
  static final String USER_ID = System.getenv("USER_ID");
  static final String TOKEN = System.getenv("TOKEN");
  static final ApiClient USER = connect(TOKEN);
  static final OrdersServiceApi ORDERS = new OrdersServiceApi(USER);
  static final PaymentsServiceApi PAYMENTS = new PaymentsServiceApi(USER);
  static final PaymentsServiceApi ADMIN =
      new PaymentsServiceApi(connect(System.getenv("ADMIN_TOKEN")));

  static ApiClient connect(String token) {
    ApiClient client = new ApiClient();
    client.updateBaseUri(EDGE_URL);
    if (token != null) {
      client.setRequestInterceptor(
          request -> request.header("authorization", "Bearer " + token));
    }
    return client;
  }

  static void say(String step, String what) {
    System.out.println(step + ": " + what);
  }

  static String write(MoneyV1Money money) {
    return money.getMinorUnits() + " " + money.getCurrency();
  }

  static String names(List<OrdersV1Order> orders) {
    return orders.stream().map(OrdersV1Order::getDescription).collect(Collectors.joining(", "));
  }

  static String refusal(Callable<?> call) throws Exception {
    try {
      call.call();
    } catch (ApiException error) {
      GoogleRpcStatus status =
          USER.getObjectMapper().readValue(error.getResponseBody(), GoogleRpcStatus.class);
      List<String> words = new ArrayList<>(List.of(String.valueOf(error.getCode())));
      for (var detail : status.getDetails()) {
        if (detail.getActualInstance() instanceof GoogleRpcErrorInfo info) {
          words.add(info.getReason());
        }
        if (detail.getActualInstance() instanceof GoogleRpcBadRequest request) {
          request.getFieldViolations().forEach(violation -> words.add(violation.getField()));
        }
      }
      return String.join(" ", words);
    }
    return "not refused";
  }

  static OrdersV1Order order(String minorUnits, String description, String prefer)
      throws ApiException {
    OrdersV1CreateOrderRequest request =
        new OrdersV1CreateOrderRequest()
            .userId(USER_ID)
            .amount(
                new OrdersV1CreateOrderRequestAmount().minorUnits(minorUnits).currency("EUR"))
            .description(description);
    return ORDERS.ordersServiceCreateOrder(request, null, prefer);
  }

  /**
   * Makes the call and reads the stream itself, up to the first heartbeat: the client waits for the
   * end of a response.
   */
  static List<OrdersV1Order> watch() throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(EDGE_URL + "/gateway/orders/" + USER_ID + ":watch"))
            .header("authorization", "Bearer " + TOKEN)
            .build();
    List<OrdersV1Order> seen = new ArrayList<>();
    var response = HttpClient.newHttpClient().send(request, BodyHandlers.ofInputStream());
    try (var lines = new BufferedReader(new InputStreamReader(response.body()))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!line.startsWith("data:")) continue;
        OrdersV1WatchOrdersResponse message =
            USER.getObjectMapper().readValue(line.substring(5), OrdersV1WatchOrdersResponse.class);
        if (message.getHeartbeat() != null) return seen;
        if (message.getOrder() != null) seen.add(message.getOrder());
      }
    }
    throw new IllegalStateException("the watch ended before its first heartbeat");
  }

  static void pay() throws Exception {
    var opening = new PaymentsV1CreateAccountRequest().userId(USER_ID).currency("EUR");
    say("account", write(PAYMENTS.paymentsServiceCreateAccount(opening, null).getBalance()));
    say("second account", refusal(() -> PAYMENTS.paymentsServiceCreateAccount(opening, null)));

    for (String step : List.of("deposit", "deposit with the same key")) {
      var amount = new PaymentsV1DepositRequestAmount().minorUnits("3000000000").currency("EUR");
      var deposit = new PaymentsServiceDepositRequest().amount(amount);
      say(step, write(PAYMENTS.paymentsServiceDeposit(USER_ID, deposit, "top-up").getBalance()));
    }

    OrdersV1Order paid = order("2999999999", "two tickets", "wait=10");
    say("order", write(paid.getAmount()) + " " + paid.getStatus());
    OrdersV1Order declined = order("1000000000000", "a boat", "wait=10");
    say(
        "larger order",
        String.join(
            " ",
            write(declined.getAmount()),
            declined.getStatus().getValue(),
            declined.getDeclineReason().getValue()));

    say("balance", write(PAYMENTS.paymentsServiceGetAccount(USER_ID).getBalance()));
    UUID id = UUID.fromString(paid.getId());
    OrdersV1Order same = ORDERS.ordersServiceGetOrder(USER_ID, id);
    say("get", same.getDescription() + " " + same.getStatus().getValue());

    var first = ORDERS.ordersServiceListOrders(USER_ID, 1, null, null, null, null);
    say("first page", names(first.getOrders()));
    String token = first.getNextPageToken();
    var second = ORDERS.ordersServiceListOrders(USER_ID, 1, token, null, null, null);
    String isLast = second.getNextPageToken().isEmpty() ? ", the last" : "";
    say("second page", names(second.getOrders()) + isLast);
    var status = OrdersV1OrderStatus.ORDER_STATUS_PAID;
    var found = ORDERS.ordersServiceListOrders(USER_ID, null, null, status, null, null);
    say("paid orders", names(found.getOrders()));

    var early = OffsetDateTime.of(1960, 1, 1, 0, 0, 0, 0, ZoneOffset.UTC);
    say(
        "orders since 1960",
        refusal(() -> ORDERS.ordersServiceListOrders(USER_ID, null, null, null, early, null)));

    say(
        "watch",
        watch().stream()
            .map(order -> order.getDescription() + " " + order.getStatus().getValue())
            .collect(Collectors.joining(", ")));

    say(
        "cancel of a paid order",
        refusal(() -> ORDERS.ordersServiceCancelOrder(USER_ID, id, null)));
    var part = new PaymentsV1RefundPaymentRequestAmount().minorUnits("50").currency("EUR");
    var refund = new PaymentsServiceRefundPaymentRequest().amount(part);
    say(
        "refund by its user",
        refusal(() -> PAYMENTS.paymentsServiceRefundPayment(USER_ID, id, null, refund)));
    var refunded = ADMIN.paymentsServiceRefundPayment(USER_ID, id, null, refund);
    say(
        "refund by an admin",
        write(refunded.getRefundedAmount()) + " " + refunded.getOutcome().getValue());

    var statement = PAYMENTS.paymentsServiceListLedgerEntries(USER_ID, null, null);
    say(
        "statement",
        statement.getEntries().stream()
            .map(entry -> entry.getKind().getValue() + " " + entry.getAmount().getMinorUnits())
            .collect(Collectors.joining(", ")));
    var anonymous = new PaymentsServiceApi(connect(null));
    say("without a token", refusal(() -> anonymous.paymentsServiceGetAccount(USER_ID)));
  }

  static void cancelOne() throws ApiException {
    UUID id = UUID.fromString(order("1", "a whim", null).getId());
    OrdersV1Order cancelled = ORDERS.ordersServiceCancelOrder(USER_ID, id, null);
    say("cancel", cancelled.getStatus().getValue());
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("cancel")) cancelOne();
    else pay();
  }
}
