package database

import "context"

// Listen has the session hear what is notified on that channel.
func (c *Conn) Listen(ctx context.Context, channel string) error {
	_, err := c.pg.Exec(ctx, "LISTEN "+channel)
	return err
}

// Heard are the payloads that have arrived since the last call, in their order.
// The server sends what is there along with its next answer, so it has to have
// been asked something after the notifications.
func (c *Conn) Heard() []string {
	now, cancel := context.WithCancel(context.Background())
	cancel() // what has arrived is at hand, and nothing is waited for
	var all []string
	for {
		n, err := c.pg.WaitForNotification(now)
		if err != nil {
			return all
		}
		all = append(all, n.Payload)
	}
}
