package migrator

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

// connect reads the secret and opens the own session. A password that is
// refused is read once more, for it may have been rotated in between.
func (r *run) connect(ctx context.Context) error {
	if err := r.resolve(ctx); err != nil {
		return err
	}
	err := r.open(ctx)
	var f *report.Failure
	if errors.As(err, &f) && f.SQLState == "28P01" && r.Config.IAMAuth == nil {
		former := r.target.Password
		if again := r.resolve(ctx); again != nil {
			return again
		}
		if r.target.Password != former {
			r.log.Info("the secret was rotated meanwhile: trying its new value")
			err = r.open(ctx)
		}
	}
	return err
}

// resolve makes the target of secret and settings.
func (r *run) resolve(ctx context.Context) error {
	c := r.Config
	var s database.Secret
	var err error
	switch {
	case c.SecretARN != "":
		limited, cancel := context.WithTimeout(ctx, 30*time.Second)
		s, err = database.ReadSecret(limited, r.Secrets, c.SecretARN)
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
	r.target = database.Target{
		Host: cmp.Or(o.Host, s.Host), Port: cmp.Or(o.Port, s.Port, database.DefaultPort), Name: cmp.Or(o.Name, s.DBName),
		User: cmp.Or(s.Username, o.User), Password: s.Password, TLS: o.TLS,
	}
	t := r.target
	r.report.Database = report.Database{Host: t.Host, Port: t.Port, Name: t.Name, User: t.User}
	for name, value := range map[string]string{"PGHOST": t.Host, "PGDATABASE": t.Name, "PGUSER": t.User} {
		if value == "" {
			return report.Failf(report.BadRequest, "the secret does not say where the database is, and %s is not set", name).
				Next("Set " + name + ", or put it into the secret.")
		}
	}
	if strings.Contains(t.User, "'") {
		return report.Failf(report.BadRequest, "Flyway can't work as the user %s: it puts the name into SET ROLE as it stands", t.User).
			Next("Use a database role without an apostrophe in its name.")
	}
	if c.IAMAuth != nil {
		token, err := c.IAMAuth(ctx, t.Address(), t.User)
		if err != nil {
			return report.Failf(report.SecretUnreadable, "no IAM token for %s on %s: %w", t.User, t.Address(), err).
				Next("Check that there are credentials and a region.")
		}
		r.target.Password = database.Password(token)
	}
	return nil
}

// reconnector judges the ends of Flyway's starts: whether Flyway got no session
// for a reason that may pass, as [database.Connect] does for the own one, or
// because the password was changed just now. Nothing was run then, so it can
// be started again.
func (r *run) reconnector(ctx context.Context) func(error) bool {
	giveUp, pause, rotated := time.Now().Add(r.Config.ConnectWait), 500*time.Millisecond, false
	return func(err error) bool {
		var answer *flyway.Error
		if !errors.As(err, &answer) || answer.Code != "DB_CONNECTION" || ctx.Err() != nil {
			return false
		}
		state := answer.SQLState
		if state == "28P01" || state == "28000" {
			former := r.target.Password
			if rotated || r.resolve(ctx) != nil || r.target.Password == former {
				return false
			}
			r.log.Info("the password was changed meanwhile: trying its new value")
			rotated = true
			return true
		}
		if !database.Passing(state) || time.Now().Add(pause).After(giveUp) {
			return false
		}
		r.log.Info("the server gave Flyway no session; trying again", "SQLSTATE", state, "in", pause.String())
		passed := sleep(ctx, pause) == nil
		pause = min(2*pause, 5*time.Second)
		return passed
	}
}

func (r *run) open(ctx context.Context) error {
	slow := time.AfterFunc(2*time.Second, func() {
		r.log.Info("no answer yet, trying on", "database", r.target.Address(), "for", r.Config.ConnectWait.String())
	})
	defer slow.Stop()
	conn, err := database.Connect(ctx, r.target, r.application(true), r.Config.ConnectWait)
	if err != nil {
		return err
	}
	r.connMu.Lock()
	r.conn = conn
	r.connMu.Unlock()
	r.report.Database.ServerVersion = conn.Server
	if r.Config.ReadOnly {
		return conn.ReadOnly(ctx)
	}
	return nil
}
