package postgres

import (
	"context"
	"fmt"
	"os"
)

// Attach answers the server that another process runs on the folder, for as
// long as that lasts. It fails when there is none that answers.
func Attach(ctx context.Context, folder string) (*Server, error) {
	s := &Server{folder: Place(folder)}
	_, port, err := readPidFile(s.dataDir())
	if err != nil {
		return nil, fmt.Errorf("no server runs on %s: %w", folder, err)
	}
	password, err := os.ReadFile(passwordFile(s.folder))
	if err != nil {
		return nil, err
	}
	s.Port, s.password = port, string(password)
	if err := s.ping(ctx); err != nil {
		return nil, fmt.Errorf("the server on %s does not answer: %w", folder, err)
	}
	return s, nil
}
