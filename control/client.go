package control

import (
	"context"
	"fmt"
	"net"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"pitstop/control/controlpb"
)

// Client calls the door of one instance.
type Client struct {
	conn *grpc.ClientConn
	stub controlpb.ControlClient
}

// CallError is what an instance answered.
type CallError struct {
	// Code is the gRPC code's name, as "FailedPrecondition".
	Code    string
	Message string
}

func (e *CallError) Error() string { return fmt.Sprintf("%s (%s)", e.Message, e.Code) }

// Dial makes a client for the door at addr, "host:port". It connects at the first call.
func Dial(addr string) (*Client, error) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return nil, fmt.Errorf("address %q must be that of an instance's door, as 127.0.0.1:7400", addr)
	}
	conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", addr, err)
	}
	return &Client{conn: conn, stub: controlpb.NewControlClient(conn)}, nil
}

// Close closes the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Reload calls Reload; its errors are *CallError.
func (c *Client) Reload(ctx context.Context, r *controlpb.ReloadRequest) (*controlpb.ReloadResponse, error) {
	resp, err := c.stub.Reload(ctx, r)
	return resp, callError(err)
}

// Status calls Status; its errors are *CallError.
func (c *Client) Status(ctx context.Context) (*controlpb.StatusResponse, error) {
	resp, err := c.stub.Status(ctx, &controlpb.StatusRequest{})
	return resp, callError(err)
}

func callError(err error) error {
	if err == nil {
		return nil
	}
	st := status.Convert(err)
	if st.Code() == codes.Unavailable && strings.Contains(st.Message(), "connection error") {
		return &CallError{Code: st.Code().String(), Message: "no pitstop answers at this address: is it running, and is it the one of its --control? " + st.Message()}
	}
	return &CallError{Code: st.Code().String(), Message: st.Message()}
}

// JSON writes a message for programs, with fields that are not set too.
func JSON(m proto.Message) string {
	return protojson.MarshalOptions{Multiline: true, EmitUnpopulated: true, UseProtoNames: true}.Format(m)
}
