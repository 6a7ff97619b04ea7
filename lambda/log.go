package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"

	"slipway/lambda/untrusted"
)

// people is a slog handler for a terminal: the message and, in brackets, its
// attributes; warnings and errors say so. The run's id stays out: there is one.
type people struct {
	w     io.Writer
	mu    *sync.Mutex
	level slog.Level
}

func (p people) Enabled(_ context.Context, l slog.Level) bool { return l >= p.level }

func (p people) Handle(_ context.Context, r slog.Record) error {
	var attrs []string
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, untrusted.Line(fmt.Sprintf("%s %v", a.Key, a.Value)))
		return true
	})
	message := untrusted.Line(r.Message)
	line := "  " + message
	switch {
	case r.Level >= slog.LevelError:
		line = "  error: " + message
	case r.Level >= slog.LevelWarn:
		line = "  warning: " + message
	}
	if len(attrs) > 0 {
		line += " (" + strings.Join(attrs, ", ") + ")"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := fmt.Fprintln(p.w, line)
	return err
}

func (p people) WithAttrs([]slog.Attr) slog.Handler { return p }

func (p people) WithGroup(string) slog.Handler { return p }
