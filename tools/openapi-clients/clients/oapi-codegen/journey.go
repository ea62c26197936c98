// The journey (see ../../journey.ts) with the client of oapi-codegen.
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

func connect(token string) *client.ClientWithResponses {
	authorize := func(_ context.Context, request *http.Request) error {
		if token != "" {
			request.Header.Set("authorization", "Bearer "+token)
		}
		return nil
	}
	made, err := client.NewClientWithResponses(
		os.Getenv("EDGE_URL"), client.WithRequestEditorFn(authorize))
	return must(made, err)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// answer returns the body of a call that must succeed.
func answer[T any](body *T, raw []byte) T {
	if body == nil {
		panic(fmt.Sprintf("refused: %s", raw))
	}
	return *body
}

// refusal returns the status and the reason of a call that must be refused.
func refusal(code int, status *client.GoogleRpcStatus) string {
	if status == nil {
		return fmt.Sprintf("%d without this status", code)
	}
	words := fmt.Sprint(code)
	for _, detail := range status.Details {
		switch detail := must(detail.ValueByDiscriminator()).(type) {
		case client.GoogleRpcErrorInfo:
			words += " " + detail.Reason
		case client.GoogleRpcBadRequest:
			for _, violation := range detail.FieldViolations {
				words += " " + violation.Field
			}
		}
	}
	return words
}

func write(money client.MoneyV1Money) string {
	return money.MinorUnits + " " + money.Currency
}

func pointer[T any](value T) *T { return &value }

func order(minorUnits, description string, prefer *string) client.OrdersV1Order {
	made := must(user.OrdersServiceCreateOrderWithResponse(ctx,
		&client.OrdersServiceCreateOrderParams{Prefer: prefer},
		client.OrdersV1CreateOrderRequest{
			UserId: userID,
			Amount: client.OrdersV1CreateOrderRequestAmount{
				MinorUnits: minorUnits, Currency: "EUR"},
			Description: &description,
		}))
	return answer(made.JSON200, made.Body)
}

func cancel(id uuid.UUID) *client.OrdersServiceCancelOrderResponse {
	return must(user.OrdersServiceCancelOrderWithResponse(ctx, userID, id,
		&client.OrdersServiceCancelOrderParams{}))
}

func list(params client.OrdersServiceListOrdersParams) ([]string, string) {
	found := must(user.OrdersServiceListOrdersWithResponse(ctx, userID, &params))
	page := answer(found.JSON200, found.Body)
	names := []string{}
	for _, order := range page.Orders {
		names = append(names, order.Description)
	}
	return names, page.NextPageToken
}

// watch reads the stream itself, up to the first heartbeat: the client has no server-sent events.
func watch() []string {
	response := must(user.OrdersServiceWatchOrders(ctx, userID,
		&client.OrdersServiceWatchOrdersParams{}))
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
	opening := client.PaymentsV1CreateAccountRequest{UserId: userID, Currency: pointer("EUR")}
	create := func() *client.PaymentsServiceCreateAccountResponse {
		return must(user.PaymentsServiceCreateAccountWithResponse(ctx,
			&client.PaymentsServiceCreateAccountParams{}, opening))
	}
	opened := create()
	fmt.Println("account:", write(answer(opened.JSON200, opened.Body).Balance))
	again := create()
	fmt.Println("second account:", refusal(again.StatusCode(), again.JSON409))

	for _, step := range []string{"deposit", "deposit with the same key"} {
		deposited := must(user.PaymentsServiceDepositWithResponse(ctx, userID,
			&client.PaymentsServiceDepositParams{IdempotencyKey: pointer("top-up")},
			client.PaymentsServiceDepositJSONRequestBody{
				Amount: client.PaymentsV1DepositRequestAmount{
					MinorUnits: "3000000000", Currency: "EUR"},
			}))
		fmt.Println(step+":", write(answer(deposited.JSON200, deposited.Body).Balance))
	}

	paid := order("2999999999", "two tickets", pointer("wait=10"))
	fmt.Println("order:", write(paid.Amount), paid.Status)
	declined := order("1000000000000", "a boat", pointer("wait=10"))
	fmt.Println("larger order:", write(declined.Amount), declined.Status, declined.DeclineReason)

	account := must(user.PaymentsServiceGetAccountWithResponse(ctx, userID))
	fmt.Println("balance:", write(answer(account.JSON200, account.Body).Balance))
	id := uuid.MustParse(paid.Id)
	got := must(user.OrdersServiceGetOrderWithResponse(ctx, userID, id))
	same := answer(got.JSON200, got.Body)
	fmt.Println("get:", same.Description, same.Status)

	first, next := list(client.OrdersServiceListOrdersParams{PageSize: pointer(int32(1))})
	fmt.Println("first page:", strings.Join(first, ", "))
	second, next := list(client.OrdersServiceListOrdersParams{
		PageSize: pointer(int32(1)), PageToken: &next})
	if next == "" {
		second = append(second, "the last")
	}
	fmt.Println("second page:", strings.Join(second, ", "))
	found, _ := list(client.OrdersServiceListOrdersParams{Status: pointer(client.ORDERSTATUSPAID)})
	fmt.Println("paid orders:", strings.Join(found, ", "))

	early := must(user.OrdersServiceListOrdersWithResponse(ctx, userID,
		&client.OrdersServiceListOrdersParams{
			CreatedAfter: pointer(time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC))}))
	fmt.Println("orders since 1960:", refusal(early.StatusCode(), early.JSON400))

	fmt.Println("watch:", strings.Join(watch(), ", "))

	cancelled := cancel(id)
	fmt.Println("cancel of a paid order:", refusal(cancelled.StatusCode(), cancelled.JSON400))
	refund := func(by *client.ClientWithResponses) *client.PaymentsServiceRefundPaymentResponse {
		return must(by.PaymentsServiceRefundPaymentWithResponse(ctx, userID, id,
			&client.PaymentsServiceRefundPaymentParams{},
			client.PaymentsServiceRefundPaymentJSONRequestBody{
				Amount: &client.PaymentsV1RefundPaymentRequestAmount{
					MinorUnits: "50", Currency: "EUR"},
			}))
	}
	refused := refund(user)
	fmt.Println("refund by its user:", refusal(refused.StatusCode(), refused.JSON403))
	refunded := refund(admin)
	payment := answer(refunded.JSON200, refunded.Body)
	fmt.Println("refund by an admin:", write(payment.RefundedAmount), payment.Outcome)

	listed := must(user.PaymentsServiceListLedgerEntriesWithResponse(ctx, userID,
		&client.PaymentsServiceListLedgerEntriesParams{}))
	entries := []string{}
	for _, entry := range answer(listed.JSON200, listed.Body).Entries {
		entries = append(entries, string(entry.Kind)+" "+entry.Amount.MinorUnits)
	}
	fmt.Println("statement:", strings.Join(entries, ", "))
	anonymous := must(connect("").PaymentsServiceGetAccountWithResponse(ctx, userID))
	fmt.Println("without a token:", refusal(anonymous.StatusCode(), anonymous.JSON401))
}

func main() {
	if os.Args[1] == "cancel" {
		cancelled := cancel(uuid.MustParse(order("1", "a whim", nil).Id))
		fmt.Println("cancel:", answer(cancelled.JSON200, cancelled.Body).Status)
		return
	}
	pay()
}
