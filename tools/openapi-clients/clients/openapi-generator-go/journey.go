// The journey (see ../../journey.ts) with the client of openapi-generator's go.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"journey/client"
)

var (
	ctx    = context.Background()
	userID = os.Getenv("USER_ID")
	user   = connect(os.Getenv("TOKEN"))
	admin  = connect(os.Getenv("ADMIN_TOKEN"))
)

func connect(token string) *client.APIClient {
	configuration := client.NewConfiguration()
	configuration.Servers = client.ServerConfigurations{{URL: os.Getenv("EDGE_URL")}}
	if token != "" {
		configuration.AddDefaultHeader("authorization", "Bearer "+token)
	}
	return client.NewAPIClient(configuration)
}

// answer returns the body of a call that must succeed.
func answer[T any](body *T, _ *http.Response, err error) T {
	if err != nil {
		panic(err)
	}
	return *body
}

// refusal returns the status and the reason of a call that must be refused.
func refusal[T any](_ *T, response *http.Response, err error) string {
	var failure *client.GenericOpenAPIError
	if !errors.As(err, &failure) {
		panic(fmt.Sprint("not refused: ", err))
	}
	status, ok := failure.Model().(client.GoogleRpcStatus)
	if !ok {
		panic(err)
	}
	words := fmt.Sprint(response.StatusCode)
	for _, detail := range status.Details {
		if detail.GoogleRpcErrorInfo != nil {
			words += " " + detail.GoogleRpcErrorInfo.Reason
		}
		if detail.GoogleRpcBadRequest != nil {
			for _, violation := range detail.GoogleRpcBadRequest.FieldViolations {
				words += " " + violation.Field
			}
		}
	}
	return words
}

func write(money client.MoneyV1Money) string {
	return money.MinorUnits + " " + money.Currency
}

func order(minorUnits, description, prefer string) client.OrdersV1Order {
	amount := *client.NewOrdersV1CreateOrderRequestAmount(minorUnits, "EUR")
	request := *client.NewOrdersV1CreateOrderRequest(userID, amount)
	request.Description = &description
	call := user.OrdersServiceAPI.OrdersServiceCreateOrder(ctx).OrdersV1CreateOrderRequest(request)
	if prefer != "" {
		call = call.Prefer(prefer)
	}
	return answer(call.Execute())
}

func names(page client.OrdersV1ListOrdersResponse) []string {
	found := []string{}
	for _, order := range page.Orders {
		found = append(found, order.Description)
	}
	return found
}

// watch makes the call and reads the stream itself, up to the first heartbeat: the client waits for
// the end of a response.
func watch() []string {
	url := os.Getenv("EDGE_URL") + "/gateway/orders/" + userID + ":watch"
	request, _ := http.NewRequest(http.MethodGet, url, nil)
	request.Header.Set("authorization", "Bearer "+os.Getenv("TOKEN"))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	seen := []string{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		data, isData := strings.CutPrefix(lines.Text(), "data:")
		if !isData {
			continue
		}
		var message client.OrdersV1WatchOrdersResponse
		if err := json.Unmarshal([]byte(data), &message); err != nil {
			panic(err)
		}
		if message.Heartbeat != nil {
			return seen
		}
		if message.Order != nil {
			seen = append(seen, message.Order.Description+" "+string(message.Order.Status))
		}
	}
	panic("the watch ended before its first heartbeat")
}

func pay() {
	opening := *client.NewPaymentsV1CreateAccountRequest(userID)
	opening.SetCurrency("EUR")
	create := user.PaymentsServiceAPI.PaymentsServiceCreateAccount(ctx).
		PaymentsV1CreateAccountRequest(opening)
	fmt.Println("account:", write(answer(create.Execute()).Balance))
	fmt.Println("second account:", refusal(create.Execute()))

	for _, step := range []string{"deposit", "deposit with the same key"} {
		amount := *client.NewPaymentsV1DepositRequestAmount("3000000000", "EUR")
		account := answer(user.PaymentsServiceAPI.PaymentsServiceDeposit(ctx, userID).
			PaymentsServiceDepositRequest(*client.NewPaymentsServiceDepositRequest(amount)).
			IdempotencyKey("top-up").Execute())
		fmt.Println(step+":", write(account.Balance))
	}

	paid := order("2999999999", "two tickets", "wait=10")
	fmt.Println("order:", write(paid.Amount), paid.Status)
	declined := order("1000000000000", "a boat", "wait=10")
	fmt.Println("larger order:", write(declined.Amount), declined.Status, declined.DeclineReason)

	account := answer(user.PaymentsServiceAPI.PaymentsServiceGetAccount(ctx, userID).Execute())
	fmt.Println("balance:", write(account.Balance))
	same := answer(user.OrdersServiceAPI.OrdersServiceGetOrder(ctx, userID, paid.Id).Execute())
	fmt.Println("get:", same.Description, same.Status)

	list := user.OrdersServiceAPI.OrdersServiceListOrders(ctx, userID)
	first := answer(list.PageSize(1).Execute())
	fmt.Println("first page:", strings.Join(names(first), ", "))
	second := answer(list.PageSize(1).PageToken(first.NextPageToken).Execute())
	last := names(second)
	if second.NextPageToken == "" {
		last = append(last, "the last")
	}
	fmt.Println("second page:", strings.Join(last, ", "))
	found := answer(list.Status(client.ORDERSV1ORDERSTATUS_ORDER_STATUS_PAID).Execute())
	fmt.Println("paid orders:", strings.Join(names(found), ", "))

	early := list.CreatedAfter(time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC))
	fmt.Println("orders since 1960:", refusal(early.Execute()))

	fmt.Println("watch:", strings.Join(watch(), ", "))

	cancel := user.OrdersServiceAPI.OrdersServiceCancelOrder(ctx, userID, paid.Id)
	fmt.Println("cancel of a paid order:", refusal(cancel.Execute()))
	refund := *client.NewPaymentsServiceRefundPaymentRequest()
	refund.SetAmount(*client.NewPaymentsV1RefundPaymentRequestAmount("50", "EUR"))
	refused := user.PaymentsServiceAPI.PaymentsServiceRefundPayment(ctx, userID, paid.Id)
	fmt.Println("refund by its user:",
		refusal(refused.PaymentsServiceRefundPaymentRequest(refund).Execute()))
	refunded := admin.PaymentsServiceAPI.PaymentsServiceRefundPayment(ctx, userID, paid.Id)
	payment := answer(refunded.PaymentsServiceRefundPaymentRequest(refund).Execute())
	fmt.Println("refund by an admin:", write(payment.RefundedAmount), payment.Outcome)

	statement := answer(
		user.PaymentsServiceAPI.PaymentsServiceListLedgerEntries(ctx, userID).Execute())
	entries := []string{}
	for _, entry := range statement.Entries {
		entries = append(entries, string(entry.Kind)+" "+entry.Amount.MinorUnits)
	}
	fmt.Println("statement:", strings.Join(entries, ", "))
	anonymous := connect("").PaymentsServiceAPI.PaymentsServiceGetAccount(ctx, userID)
	fmt.Println("without a token:", refusal(anonymous.Execute()))
}

func main() {
	if os.Args[1] == "cancel" {
		whim := order("1", "a whim", "")
		cancel := user.OrdersServiceAPI.OrdersServiceCancelOrder(ctx, userID, whim.Id)
		fmt.Println("cancel:", answer(cancel.Execute()).Status)
		return
	}
	pay()
}
