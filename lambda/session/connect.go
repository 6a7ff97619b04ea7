package session

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/flyway"
	"slipway/lambda/report"
)

// Open reads the secret and opens the own session. A password that is
// refused is read once more, for it may have been rotated in between.
func (s *Session) Open(ctx context.Context) error {
	if err := resolve(ctx, s); err != nil {
		return err
	}
	err := s.open(ctx)
	var f *report.Failure
	if errors.As(err, &f) && f.SQLState == "28P01" && s.options.IAMAuth == nil {
		former := s.target.Password
		if again := resolve(ctx, s); again != nil {
			return again
		}
		if s.target.Password != former {
			s.options.Log.Info("the secret was rotated meanwhile: trying its new value")
			err = s.open(ctx)
		}
	}
	return err
}

// resolve makes the target of secret and settings.
func resolve(ctx context.Context, s *Session) error {
	c := s.options
	var secret database.Secret
	var err error
	switch {
	case c.SecretARN != "":
		limited, cancel := context.WithTimeout(ctx, 30*time.Second)
		secret, err = database.ReadSecret(limited, s.options.Secrets, c.SecretARN)
		cancel()
		if errors.Is(ctx.Err(), context.Canceled) {
			return context.Cause(ctx)
		}
	case c.IAMAuth == nil:
		err = report.Failf(report.BadRequest, "MASTER_SECRET_ARN is not set, so there are no credentials").
			Next("Set MASTER_SECRET_ARN to the ARN of the database's secret.")
	}
	if err != nil {
		return err
	}
	o := c.Override
	s.target = database.Target{
		Host: cmp.Or(o.Host, secret.Host), Port: cmp.Or(o.Port, secret.Port, database.DefaultPort),
		Name: cmp.Or(o.Name, secret.DBName),
		User: cmp.Or(secret.Username, o.User), Password: secret.Password, TLS: o.TLS,
	}
	t := s.target
	for name, value := range map[string]string{"PGHOST": t.Host, "PGDATABASE": t.Name, "PGUSER": t.User} {
		if value == "" {
			return report.Failf(report.BadRequest, "the secret does not say where the database is, and %s is not set",
				name).
				Next("Set " + name + ", or put it into the secret.")
		}
	}
	if strings.Contains(t.User, "'") {
		return report.Failf(report.BadRequest, "Flyway can't work as the user %s: it puts the name into SET ROLE as "+
			"it stands", t.User).
			Next("Use a database role without an apostrophe in its name.")
	}
	if c.IAMAuth != nil {
		token, err := c.IAMAuth(ctx, t.Address(), t.User)
		if err != nil {
			return report.Failf(report.SecretUnreadable, "no IAM token for %s on %s: %w", t.User, t.Address(), err).
				Next("Check that there are credentials and a region.")
		}
		s.target.Password = database.Password(token)
	}
	return nil
}

// Reconnector judges the ends of Flyway's starts: whether Flyway got no session
// for a reason that may pass, as [database.Connect] does for the own one, or
// because the password was changed just now. Nothing was run then, so it can
// be started again.
func (s *Session) Reconnector(ctx context.Context) func(error) bool {
	giveUp, pause, rotated := time.Now().Add(s.options.ConnectWait), 500*time.Millisecond, false
	return func(err error) bool {
		var answer *flyway.Error
		if !errors.As(err, &answer) || answer.Code != "DB_CONNECTION" || ctx.Err() != nil {
			return false
		}
		state := answer.SQLState
		if state == "28P01" || state == "28000" {
			former := s.target.Password
			if rotated || resolve(ctx, s) != nil || s.target.Password == former {
				return false
			}
			s.options.Log.Info("the password was changed meanwhile: trying its new value")
			rotated = true
			return true
		}
		if !database.Passing(state) || time.Now().Add(pause).After(giveUp) {
			return false
		}
		s.options.Log.Info("the server gave Flyway no session; trying again", "SQLSTATE", state, "in", pause.String())
		passed := Sleep(ctx, pause) == nil
		pause = min(2*pause, 5*time.Second)
		return passed
	}
}

// Reopen opens another session where this one does not answer any more, which
// then holds no lock.
func (s *Session) Reopen(ctx context.Context) error {
	s.mu.Lock()
	well := alive(ctx, s.conn)
	if !well {
		s.conn.Close()
	}
	s.mu.Unlock()
	if well {
		return nil
	}
	return s.open(ctx)
}

func (s *Session) open(ctx context.Context) error {
	slow := time.AfterFunc(2*time.Second, func() {
		s.options.Log.Info("no answer yet, trying on", "database", s.target.Address(), "for",
			s.options.ConnectWait.String())
	})
	defer slow.Stop()
	conn, err := database.Connect(ctx, s.target, ownApplication(s.options.RunID), s.options.ConnectWait)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.conn = conn
	s.mu.Unlock()
	if s.options.ReadOnly {
		return conn.ReadOnly(ctx)
	}
	return nil
}
