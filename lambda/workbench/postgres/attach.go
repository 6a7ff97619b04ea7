package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Attach returns the server that another process runs on the folder, for as
// long as that lasts. It fails when there is none that answers.
func Attach(ctx context.Context, folder string) (*Server, error) {
	s := &Server{folder: Place(folder)}
	root, err := enter(s.folder)
	if err != nil {
		return nil, fmt.Errorf("no server runs on %s: %w", folder, err)
	}
	defer root.Close()
	_, port, err := readPidFile(root)
	if err != nil {
		return nil, fmt.Errorf("no server runs on %s: %w", folder, err)
	}
	password, err := root.ReadFile(passwordFile)
	if err != nil {
		return nil, err
	}
	s.Port, s.password = port, string(password)
	if err := s.ping(ctx); err != nil {
		return nil, fmt.Errorf("the server on %s does not answer: %w", folder, err)
	}
	return s, nil
}

// InUse tells whether a process has the folder's server.
func InUse(folder string) bool {
	folder = Place(folder)
	root, err := enter(folder)
	if err != nil {
		return false
	}
	defer root.Close()
	unlock, err := lock(root)
	if err == nil {
		unlock()
	}
	return IsInUse(err)
}

// Remove deletes the folder and the databases in it. It fails while a process
// has the server ([IsInUse]); a folder that isn't there is no error.
func Remove(folder string) error {
	folder = Place(folder)
	if _, err := os.Stat(folder); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	root, err := enter(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	unlock, err := lock(root)
	if err != nil {
		return err
	}
	defer unlock()
	if err := awaitPredecessor(context.Background(), root); err != nil {
		return err
	}
	return os.RemoveAll(folder)
}
