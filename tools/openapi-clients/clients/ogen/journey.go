// The journey (see ../../journey.ts) with the client of ogen.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"

	"journey/client"
)

var (
	ctx    = context.Background()
	userID = os.Getenv("USER_ID")
	user   = connect(os.Getenv("TOKEN"))
	admin  = connect(os.Getenv("ADMIN_TOKEN"))
)

// token is what the client asks for the security of a call.
type token string

func (t token) Bearer(context.Context, client.OperationName) (client.Bearer, error) {
	return client.Bearer{Token: string(t)}, nil
}

func connect(bearer string) *client.Client {
	return must(client.NewClient(os.Getenv("EDGE_URL"), token(bearer)))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// answer returns the response of a call that must succeed.
func answer[T, R any](response R, err error) T {
	if wanted, ok := any(must(response, err)).(T); ok {
		return wanted
	}
	panic(fmt.Sprintf("refused: %+v", response))
}

// reason returns the reason of the error, and the fields that break a rule.
func reason(status client.GoogleRPCStatus) string {
	words := []string{}
	for _, detail := range status.Details {
		if info, ok := detail.OneOf.GetGoogleRPCErrorInfo(); ok {
			words = append(words, info.Reason)
		}
		if request, ok := detail.OneOf.GetGoogleRPCBadRequest(); ok {
			for _, violation := range request.FieldViolations {
				words = append(words, violation.Field)
			}
		}
	}
	return strings.Join(words, " ")
}

func write(money client.MoneyV1Money) string {
	return fmt.Sprint(money.MinorUnits, " ", money.Currency)
}

func order(minorUnits int64, description string, prefer client.OptString) client.OrdersV1Order {
	request := &client.OrdersV1CreateOrderRequest{
		UserId:      userID,
		Amount:      client.OrdersV1CreateOrderRequestAmount{MinorUnits: minorUnits, Currency: "EUR"},
		Description: client.NewOptString(description),
	}
	params := client.OrdersServiceCreateOrderParams{Prefer: prefer}
	return answer[*client.OrdersV1OrderHeaders](
		user.OrdersServiceCreateOrder(ctx, request, params)).Response
}

func cancel(id uuid.UUID) (client.OrdersServiceCancelOrderRes, error) {
	params := client.OrdersServiceCancelOrderParams{UserId: userID, OrderId: id}
	return user.OrdersServiceCancelOrder(ctx, params)
}

func list(params client.OrdersServiceListOrdersParams) ([]string, string) {
	params.UserId = userID
	page := answer[*client.OrdersV1ListOrdersResponseHeaders](
		user.OrdersServiceListOrders(ctx, params)).Response
	names := []string{}
	for _, order := range page.Orders {
		names = append(names, order.Description)
	}
	return names, page.NextPageToken
}

// watch makes the call and reads the stream itself, up to the first heartbeat: the client is made
// without this method.
func watch() []string {
	url := os.Getenv("EDGE_URL") + "/gateway/orders/" + userID + ":watch"
	request := must(http.NewRequest(http.MethodGet, url, nil))
	request.Header.Set("authorization", "Bearer "+os.Getenv("TOKEN"))
	response := must(http.DefaultClient.Do(request))
	defer response.Body.Close()
	seen := []string{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		data, isData := strings.CutPrefix(lines.Text(), "data:")
		if !isData {
			continue
		}
		var message struct {
			Order     *client.OrdersV1Order
			Heartbeat *struct{}
		}
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
	opening := &client.PaymentsV1CreateAccountRequest{
		UserId: userID, Currency: client.NewOptString("EUR")}
	create := func() (client.PaymentsServiceCreateAccountRes, error) {
		return user.PaymentsServiceCreateAccount(ctx, opening,
			client.PaymentsServiceCreateAccountParams{})
	}
	fmt.Println("account:", write(answer[*client.PaymentsV1AccountHeaders](create()).Response.Balance))
	again := answer[*client.PaymentsServiceCreateAccountConflict](create())
	fmt.Println("second account: 409", reason(again.Response))

	for _, step := range []string{"deposit", "deposit with the same key"} {
		account := answer[*client.PaymentsV1AccountHeaders](user.PaymentsServiceDeposit(ctx,
			&client.PaymentsServiceDepositReq{Amount: client.PaymentsV1DepositRequestAmount{
				MinorUnits: 3000000000, Currency: "EUR"}},
			client.PaymentsServiceDepositParams{
				UserId: userID, IdempotencyKey: client.NewOptString("top-up")}))
		fmt.Println(step+":", write(account.Response.Balance))
	}

	wait := client.NewOptString("wait=10")
	paid := order(2999999999, "two tickets", wait)
	fmt.Println("order:", write(paid.Amount), paid.Status)
	declined := order(1000000000000, "a boat", wait)
	fmt.Println("larger order:", write(declined.Amount), declined.Status, declined.DeclineReason)

	account := answer[*client.PaymentsServiceGetAccountOKHeaders](user.PaymentsServiceGetAccount(ctx,
		client.PaymentsServiceGetAccountParams{UserId: userID})).Response
	fmt.Println("balance:", write(account.Balance))
	id := uuid.MustParse(paid.ID)
	same := answer[*client.OrdersServiceGetOrderOKHeaders](user.OrdersServiceGetOrder(ctx,
		client.OrdersServiceGetOrderParams{UserId: userID, OrderId: id})).Response
	fmt.Println("get:", same.Description, same.Status)

	one := client.NewOptInt32(1)
	first, next := list(client.OrdersServiceListOrdersParams{PageSize: one})
	fmt.Println("first page:", strings.Join(first, ", "))
	second, next := list(client.OrdersServiceListOrdersParams{
		PageSize: one, PageToken: client.NewOptString(next)})
	if next == "" {
		second = append(second, "the last")
	}
	fmt.Println("second page:", strings.Join(second, ", "))
	found, _ := list(client.OrdersServiceListOrdersParams{
		Status: client.NewOptOrdersV1OrderStatus(client.OrdersV1OrderStatusORDERSTATUSPAID)})
	fmt.Println("paid orders:", strings.Join(found, ", "))

	early := answer[*client.OrdersServiceListOrdersBadRequest](user.OrdersServiceListOrders(ctx,
		client.OrdersServiceListOrdersParams{
			UserId:       userID,
			CreatedAfter: client.NewOptDateTime(time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC))}))
	fmt.Println("orders since 1960: 400", reason(early.Response))

	fmt.Println("watch:", strings.Join(watch(), ", "))

	cancelled := answer[*client.OrdersServiceCancelOrderBadRequest](cancel(id))
	fmt.Println("cancel of a paid order: 400", reason(cancelled.Response))
	refund := func(by *client.Client) (client.PaymentsServiceRefundPaymentRes, error) {
		part := client.PaymentsV1RefundPaymentRequestAmount{MinorUnits: 50, Currency: "EUR"}
		return by.PaymentsServiceRefundPayment(ctx,
			client.NewOptPaymentsServiceRefundPaymentReq(client.PaymentsServiceRefundPaymentReq{
				Amount: client.NewOptPaymentsV1RefundPaymentRequestAmount(part)}),
			client.PaymentsServiceRefundPaymentParams{UserId: userID, OrderId: id})
	}
	refused := answer[*client.PaymentsServiceRefundPaymentForbidden](refund(user))
	fmt.Println("refund by its user: 403", reason(refused.Response))
	payment := answer[*client.PaymentsServiceRefundPaymentOKHeaders](refund(admin)).Response
	fmt.Println("refund by an admin:", write(payment.RefundedAmount), payment.Outcome)

	statement := answer[*client.PaymentsV1ListLedgerEntriesResponseHeaders](
		user.PaymentsServiceListLedgerEntries(ctx,
			client.PaymentsServiceListLedgerEntriesParams{UserId: userID})).Response
	entries := []string{}
	for _, entry := range statement.Entries {
		entries = append(entries, fmt.Sprint(entry.Kind, " ", entry.Amount.MinorUnits))
	}
	fmt.Println("statement:", strings.Join(entries, ", "))
	// The client wants a token; this one is refused like none.
	anonymous := answer[*client.PaymentsServiceGetAccountUnauthorized](
		connect("none").PaymentsServiceGetAccount(ctx,
			client.PaymentsServiceGetAccountParams{UserId: userID}))
	fmt.Println("without a token: 401", reason(anonymous.Response))
}

func main() {
	if os.Args[1] == "cancel" {
		id := uuid.MustParse(order(1, "a whim", client.OptString{}).ID)
		cancelled := answer[*client.OrdersServiceCancelOrderOKHeaders](cancel(id))
		fmt.Println("cancel:", cancelled.Response.Status)
		return
	}
	pay()
}
