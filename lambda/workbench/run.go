package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"slipway/lambda/report"
	"slipway/lambda/workbench/guard"
)

// path is where the program takes invocations, as Lambda's emulator does.
const path = "/2015-03-31/functions/function/invocations"

// runRun is `run`: it sends the program the event of a deployment.
func runRun(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (int, error) {
	var w where
	w.define(flags)
	asJSON := flags.Bool("json", false, "print the report as JSON, and nothing else on stdout")
	if err := w.parse(b, flags, arguments); err != nil {
		return 2, err
	}
	return b.run(ctx, w, *asJSON)
}

// run sends the program the event of a deployment and prints the report, and
// what CloudFormation would get.
func (b *bench) run(ctx context.Context, w where, asJSON bool) (code int, err error) {
	s, err := b.open(ctx, w)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()

	address, err := freeAddress()
	if err != nil {
		return 1, err
	}
	call := []string{"serve", "--addr", address}
	summary := b.out
	if asJSON {
		call, summary = append(call, "--json"), b.err
	}
	program, err := s.start(b.out, b.err, call...)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, program.End(grace)) }()
	if err := awaitListening(ctx, address, program); err != nil {
		return 1, err
	}
	event, err := newEvent(ctx, w.sql, s)
	if err != nil {
		return 1, err
	}
	reply, err := invoke(ctx, "http://"+address+path, event, program)
	if err != nil {
		return 1, err
	}
	// The report is printed once the program has ended, so the summary is last.
	if err := program.End(grace); err != nil {
		return 1, err
	}
	reply.print(summary)
	return report.ExitCode(reply.code()), nil
}

// awaitListening waits until the program takes connections.
func awaitListening(ctx context.Context, address string, program *guard.Process) error {
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	for {
		if connection, err := net.Dial("tcp", address); err == nil {
			return connection.Close()
		}
		select {
		case <-program.Done():
			return fmt.Errorf("slipway serve ended with exit code %d before it listened", program.ExitCode())
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return errors.New("slipway serve did not listen within 30s")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// invoke posts the event and reads the answer. When ctx ends, the program is
// ended; when the program ends by itself, that is the error.
func invoke(ctx context.Context, url, event string, program *guard.Process) (*reply, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-program.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(event))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	// A proxy of the environment is not asked: the client is a bare one.
	response, err := (&http.Client{Transport: &http.Transport{}}).Do(request)
	if err == nil {
		defer response.Body.Close()
		var body []byte
		if body, err = io.ReadAll(response.Body); err == nil {
			return newReply(response, body)
		}
	}
	select {
	case <-program.Done():
		return nil, fmt.Errorf("slipway serve ended with exit code %d instead of an answer", program.ExitCode())
	default:
		return nil, err
	}
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}
